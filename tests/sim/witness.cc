#include "tests/sim/witness.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "tests/sim/workload.h"

namespace davit::sim {
namespace {

constexpr size_t kTaskIdLength = 32;
// Far above what full jitter below a ceiling that doubles from 100 ms to 15 s can reach by chance.
constexpr size_t kMaxDialsPerMinute = 60;
}  // namespace

std::string TaskIdOf(absl::string_view container_id) {
  return std::string(container_id.substr(0, kTaskIdLength));
}

std::string ArnOf(const v1::StoredTask& row) {
  return absl::StrCat("arn:aws:ecs:us-east-1:000000000000:task/", row.cluster(), "/", row.id());
}

Witness::Witness(const test::FakeClock* clock) : clock_(clock), definitions_(Definitions()) {}

void Witness::Violate(const std::string& what) {
  if (violation_.empty()) violation_ = what;
}

const v1::RegisterTaskDefinitionRequest* Witness::FamilyOf(const std::string& task_id) const {
  const auto row = rows_.find(task_id);
  if (row == rows_.end()) return nullptr;
  for (const v1::RegisterTaskDefinitionRequest& definition : definitions_) {
    if (row->second.family() == definition.family()) return &definition;
  }
  return nullptr;
}

const v1::ContainerDefinition* Witness::DefinitionOf(const std::string& container_id) const {
  const v1::RegisterTaskDefinitionRequest* const family = FamilyOf(TaskIdOf(container_id));
  if (family == nullptr) return nullptr;
  for (const v1::ContainerDefinition& definition : family->container_definitions()) {
    if (container_id.substr(kTaskIdLength + 1) == definition.name()) return &definition;
  }
  return nullptr;
}

absl::Duration Witness::ClockSetAt(size_t host) const {
  const auto set = clock_set_.find(host);
  return set == clock_set_.end() ? -absl::InfiniteDuration() : set->second;
}

bool Witness::IsStoreLostSince(size_t host, absl::Duration time) const {
  const auto lost = store_lost_.find(host);
  return lost != store_lost_.end() && lost->second >= time;
}

void Witness::OnStart(size_t host, const std::string& container_id) {
  const auto row = rows_.find(TaskIdOf(container_id));
  if (row == rows_.end()) {
    Violate(absl::StrCat(container_id, " runs, and the controller has no such task"));
  } else if (row->second.last_status() == v1::TaskStatus::STOPPED) {
    Violate(absl::StrCat(container_id, " runs after its task was STOPPED"));
  } else if (IsAbandoned(row->second)) {
    Violate(absl::StrCat(container_id, " is started on another instance than its task's"));
  }
  Container& truth = containers_[container_id];
  if (truth.lives > 0 && truth.is_live) {
    Violate(absl::StrCat(container_id, " runs twice at once: started on host ", host,
                         ", before on host ", truth.host));
  } else if (truth.lives > 0 && !truth.is_forgotten) {
    CheckLifeAgain(container_id, truth);
    if (truth.host != host) Violate(absl::StrCat(container_id, " ran on another host before"));
  }
  const v1::ContainerDefinition* const definition = DefinitionOf(container_id);
  if (definition != nullptr && truth.lives == 0) CheckOrderOfStarts(container_id, *definition);
  truth.host = host;
  ++truth.lives;
  truth.is_live = true;
  truth.started_at = clock_->Monotonic();
  truth.exit_code.reset();
  truth.is_evidence_lost = truth.is_out_of_memory = truth.is_forgotten = false;
}

// A container gets a second life only by a restart policy, and only after a life that was long
// enough.
void Witness::CheckLifeAgain(const std::string& id, const Container& truth) {
  const v1::ContainerDefinition* const definition = DefinitionOf(id);
  if (definition == nullptr || !definition->restart_policy().enabled()) {
    return Violate(absl::StrCat(id, " ran again"));
  }
  const v1::ContainerRestartPolicy& policy = definition->restart_policy();
  if (!truth.exit_code.has_value() || IsIgnored(policy, *truth.exit_code)) {
    return Violate(absl::StrCat(id, " ran again after exit code ", truth.exit_code.value_or(-1)));
  }
  // The length of its life is unknown if the clock was set between its end and the inspection.
  const absl::Duration lived = truth.ended_at - truth.started_at;
  if (lived < absl::Seconds(policy.restart_attempt_period()) &&
      ClockSetAt(truth.host) < truth.ended_at) {
    Violate(absl::StrCat(id, " ran again after a life of ", absl::FormatDuration(lived)));
  }
}

// ECS's dependsOn. The agent checks conditions before it creates a container, which is earlier than
// now.
void Witness::CheckOrderOfStarts(const std::string& id, const v1::ContainerDefinition& definition) {
  for (const v1::ContainerDependency& dependency : definition.depends_on()) {
    const auto other =
        containers_.find(absl::StrCat(TaskIdOf(id), "-", dependency.container_name()));
    const bool has_run = other != containers_.end() && other->second.lives > 0;
    const bool has_ended = has_run && !other->second.is_live;
    const std::string& condition = dependency.condition();
    const bool is_met = condition == "START"      ? has_run
                        : condition == "COMPLETE" ? has_ended
                        : condition == "SUCCESS"
                            ? has_ended && other->second.exit_code.value_or(0) == 0
                            : has_run && other->second.checks_passed > 0;
    if (!is_met) {
      Violate(absl::StrCat(id, " was started, and ", dependency.container_name(), " is not ",
                           condition));
    }
  }
}

void Witness::OnEnd(const std::string& container_id, int exit_code) {
  const auto found = containers_.find(container_id);
  if (found == containers_.end() || !found->second.is_live) return;  // created, never started
  found->second.is_live = false;
  found->second.ended_at = clock_->Monotonic();
  found->second.exit_code = exit_code;
}

void Witness::OnEvidenceLost(const std::string& container_id) {
  const auto found = containers_.find(container_id);
  if (found == containers_.end()) return;
  found->second.is_live = false;
  found->second.is_evidence_lost = true;
}

void Witness::OnOutOfMemory(const std::string& container_id) {
  const auto found = containers_.find(container_id);
  if (found != containers_.end()) found->second.is_out_of_memory = true;
}

void Witness::OnReboot(size_t host) {
  for (auto& [id, truth] : containers_) {
    if (truth.host != host) continue;
    if (truth.is_live) truth.ended_at = clock_->Monotonic();
    truth.is_live = false;
    truth.is_evidence_lost = true;
  }
}

void Witness::OnClockSet(size_t host) { clock_set_[host] = clock_->Monotonic(); }

void Witness::OnControllerClockSet() { controller_clock_set_ = clock_->Monotonic(); }

void Witness::OnStoreLost(size_t host, const Losses& losses) {
  store_lost_[host] = clock_->Monotonic();
  for (auto& [id, truth] : containers_) {
    if (truth.host != host || truth.is_live || !losses.tasks.contains(TaskIdOf(id))) continue;
    if (!losses.ends_kept.contains(id)) truth.is_evidence_lost = true;
    if (losses.records_kept.contains(id)) continue;
    // The host has no trace that it ran. Does the controller know?
    truth.is_forgotten = true;
    for (const v1::StoredContainer& container : rows_[TaskIdOf(id)].containers()) {
      if (absl::StrCat(TaskIdOf(id), "-", container.name()) != id) continue;
      truth.is_forgotten = container.last_status() < v1::ContainerStatus::RUNNING;
    }
  }
}

void Witness::OnInstanceGone(size_t host, const std::string& ec2_instance_id) {
  gone_instances_.insert(ec2_instance_id);
  store_lost_[host] = clock_->Monotonic();
}

std::string Witness::InstanceOf(const v1::StoredTask& row) const {
  const auto instance = instances_.find(row.instance_id());
  return instance == instances_.end() ? "" : instance->second;
}

bool Witness::IsAbandoned(const v1::StoredTask& row) const {
  return gone_instances_.contains(InstanceOf(row));
}

void Witness::OnHealthChecked(const std::string& container_id, bool has_passed) {
  Container& truth = containers_[container_id];
  ++(has_passed ? truth.checks_passed : truth.checks_failed);
}

// Every kill needs a reason: the controller wants it, or another container ended.
void Witness::OnSignal(const std::string& container_id) {
  const std::string task_id = TaskIdOf(container_id);
  const v1::RegisterTaskDefinitionRequest* const family = FamilyOf(task_id);
  if (family == nullptr) {
    return Violate(absl::StrCat(container_id, " is killed; the controller knows no such task"));
  }
  const v1::StoredTask& row = rows_.at(task_id);
  if (IsAbandoned(row)) return;
  if (row.desired_status() == v1::TaskStatus::RUNNING && IsComplete(task_id, *family)) {
    Violate(absl::StrCat(container_id, " is killed, and nobody wants that"));
  }
  // An agent that knows the task only from labels does not know its order.
  const Container& truth = containers_[container_id];
  if (IsStoreLostSince(truth.host, truth.started_at)) return;
  for (const v1::ContainerDefinition& other : family->container_definitions()) {
    if (!IsLive(absl::StrCat(task_id, "-", other.name()))) continue;
    for (const v1::ContainerDependency& dependency : other.depends_on()) {
      if (container_id == absl::StrCat(task_id, "-", dependency.container_name())) {
        Violate(absl::StrCat(container_id, " is killed before ", other.name(),
                             ", which depends on it"));
      }
    }
  }
}

// No container of the task has ended or will still start.
bool Witness::IsComplete(const std::string& task_id,
                         const v1::RegisterTaskDefinitionRequest& family) const {
  return std::all_of(family.container_definitions().begin(), family.container_definitions().end(),
                     [&](const v1::ContainerDefinition& one) {
                       return IsLive(absl::StrCat(task_id, "-", one.name()));
                     });
}

void Witness::OnDial(size_t host) {
  std::deque<absl::Duration>& dials = dials_[host];
  const absl::Duration now = clock_->Monotonic();
  dials.push_back(now);
  while (now - dials.front() > absl::Minutes(1)) dials.pop_front();
  if (dials.size() > kMaxDialsPerMinute) {
    Violate(absl::StrCat("the agent of host ", host, " dials more than ", kMaxDialsPerMinute,
                         " times in a minute"));
  }
}

bool Witness::IsLive(const std::string& container_id) const {
  const auto found = containers_.find(container_id);
  return found != containers_.end() && found->second.is_live;
}

std::set<std::string> Witness::LiveOn(size_t host) const {
  std::set<std::string> live;
  for (const auto& [id, truth] : containers_) {
    if (truth.is_live && truth.host == host) live.insert(id);
  }
  return live;
}

std::set<std::string> Witness::ContainersOn(size_t host) const {
  std::set<std::string> all;
  for (const auto& [id, truth] : containers_) {
    if (truth.host == host) all.insert(id);
  }
  return all;
}

}  // namespace davit::sim
