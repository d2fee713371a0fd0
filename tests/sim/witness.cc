#include "tests/sim/witness.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"

namespace davit::sim {
namespace {

constexpr size_t kTaskIdLength = 32;

std::string Shown(const std::optional<int>& exit_code) {
  return exit_code.has_value() ? absl::StrCat(*exit_code) : "none";
}

}  // namespace

std::string TaskIdOf(absl::string_view container_id) {
  return std::string(container_id.substr(0, kTaskIdLength));
}

v1::TaskStatus::Value LastStatusOf(const v1::StoredTask& row) {
  v1::TaskStatus::Value status = v1::TaskStatus::UNSPECIFIED;
  v1::TaskStatus::Value_Parse(row.task().last_status(), &status);
  return status;
}

void Witness::Violate(const std::string& what) {
  if (violation_.empty()) violation_ = what;
}

void Witness::OnStart(size_t host, const std::string& container_id) {
  const auto [life, is_first] = lives_.try_emplace(container_id);
  if (!is_first) {
    Violate(absl::StrCat(container_id, life->second.is_live ? " runs twice at once" : " ran again",
                         ": started on host ", host, ", before on host ", life->second.host));
  }
  const auto row = rows_.find(TaskIdOf(container_id));
  if (row == rows_.end()) {
    Violate(absl::StrCat(container_id, " runs, and the controller has no such task"));
  } else if (LastStatusOf(row->second) == v1::TaskStatus::STOPPED) {
    Violate(absl::StrCat(container_id, " runs after its task was STOPPED"));
  }
  life->second = Life();
  life->second.host = host;
  life->second.is_live = true;
}

void Witness::OnEnd(const std::string& container_id, int exit_code) {
  const auto life = lives_.find(container_id);
  if (life == lives_.end() || !life->second.is_live) return;  // created, never started
  life->second.is_live = false;
  life->second.exit_code = exit_code;
}

void Witness::OnEvidenceLost(const std::string& container_id) {
  const auto life = lives_.find(container_id);
  if (life == lives_.end()) return;
  life->second.is_live = false;
  life->second.is_evidence_lost = true;
}

void Witness::OnOutOfMemory(const std::string& container_id) {
  const auto life = lives_.find(container_id);
  if (life != lives_.end()) life->second.is_out_of_memory = true;
}

void Witness::OnReboot(size_t host) {
  for (auto& [id, life] : lives_) {
    if (life.host != host) continue;
    life.is_live = false;
    life.is_evidence_lost = true;
  }
}

bool Witness::IsLive(const std::string& container_id) const {
  const auto life = lives_.find(container_id);
  return life != lives_.end() && life->second.is_live;
}

std::set<std::string> Witness::LiveOn(size_t host) const {
  std::set<std::string> live;
  for (const auto& [id, life] : lives_) {
    if (life.is_live && life.host == host) live.insert(id);
  }
  return live;
}

void Witness::OnCommit(const v1::StoredTask& row) {
  const std::string id = ShortId(row.task().task_arn());
  const auto [known, is_new] = rows_.try_emplace(id, row);
  if (!is_new) {
    CheckOrder(known->second, row);
    known->second = row;
  }
  if (LastStatusOf(row) == v1::TaskStatus::STOPPED) CheckTerminal(id, row.task());
}

// Nothing goes back, and how a task ended is said once.
void Witness::CheckOrder(const v1::StoredTask& before, const v1::StoredTask& after) {
  const v1::Task& old = before.task();
  const v1::Task& now = after.task();
  if (LastStatusOf(after) < LastStatusOf(before)) {
    Violate(absl::StrCat(old.task_arn(), " went from ", old.last_status(), " back to ",
                         now.last_status()));
  }
  if (old.desired_status() == "STOPPED" && now.desired_status() != "STOPPED") {
    Violate(absl::StrCat(old.task_arn(), " is wanted again after its stop"));
  }
  if (LastStatusOf(before) == v1::TaskStatus::STOPPED &&
      old.SerializeAsString() != now.SerializeAsString()) {
    Violate(absl::StrCat(old.task_arn(), " was STOPPED and has changed: ", old.ShortDebugString(),
                         " -> ", now.ShortDebugString()));
  }
}

// A task that the controller holds to be STOPPED has no process, and ended as it says.
void Witness::CheckTerminal(const std::string& task_id, const v1::Task& task) {
  for (const v1::Container& container : task.containers()) {
    const std::string id = absl::StrCat(task_id, "-", container.name());
    std::optional<int> reported;
    if (container.has_exit_code()) reported = container.exit_code();
    const auto life = lives_.find(id);
    if (life == lives_.end()) {
      if (reported) Violate(absl::StrCat(id, " never ran; reported exit code ", *reported));
      continue;
    }
    const Life& truth = life->second;
    if (truth.is_live) Violate(absl::StrCat(id, " runs, but its task is reported STOPPED"));
    // An end that nobody could see may be reported as unknown, but not as another.
    const bool may_be_unknown = truth.is_evidence_lost && !reported;
    if (reported != truth.exit_code && !may_be_unknown) {
      Violate(absl::StrCat(id, " ended with ", Shown(truth.exit_code), "; reported exit code ",
                           Shown(reported), ", reason '", container.reason(), "'"));
    }
    if (truth.is_out_of_memory && reported && !truth.is_evidence_lost &&
        !absl::StrContains(container.reason(), "OutOfMemory")) {
      Violate(absl::StrCat(id, " ran out of memory; reported reason '", container.reason(), "'"));
    }
  }
}

}  // namespace davit::sim
