// Compares what the controller receives and commits with the truth.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "tests/sim/control_plane.h"
#include "tests/sim/witness.h"
#include "tests/sim/workload.h"

namespace davit::sim {
namespace {

// An agent may notice a start long after it happened. A life that exceeds its attempt period by
// this much is long enough, whatever the agent saw.
constexpr absl::Duration kSurelyNoticed = absl::Minutes(3);

std::string Shown(const std::optional<int>& exit_code) {
  return exit_code.has_value() ? absl::StrCat(*exit_code) : "none";
}

}  // namespace

void Witness::OnReport(const v1::TaskState& state) {
  for (const v1::ContainerState& told : state.containers()) {
    const std::string id = absl::StrCat(ShortId(state.task_arn()), "-", told.name());
    const auto found = containers_.find(id);
    const int lives = found == containers_.end() ? 0 : found->second.lives;
    // One more than there were: the next life has not started yet, and perhaps never will.
    if (told.restart_count() > lives) {
      Violate(absl::StrCat(id, " lived ", lives, " times; reported ", told.restart_count(),
                           " restarts"));
    }
    const bool is_final = state.last_status() == v1::TaskStatus::STOPPED;
    if (is_final && told.restart_count() < lives - 1 && store_lost_.empty()) {
      Violate(absl::StrCat(id, " lived ", lives, " times; reported in the end ",
                           told.restart_count(), " restarts"));
    }
  }
}

void Witness::OnCommit(const v1::StoredTask& row) {
  const std::string& id = row.id();
  const auto [known, is_new] = rows_.try_emplace(id, row);
  if (!is_new) {
    CheckOrder(known->second, row);
    known->second = row;
  }
  if (row.last_status() != v1::TaskStatus::STOPPED) return;
  CheckTerminal(id, row);
  stopped_.try_emplace(id, clock_->Monotonic());
}

// What a client reads of running and of ending is durable, and is never taken back.
void Witness::OnDescribed(const std::string& task_id, const v1::DescribeTasksResponse& answer) {
  const v1::StoredTask& row = rows_.at(task_id);
  v1::TaskStatus::Value& described = described_[task_id];
  if (answer.tasks().empty()) {
    // The row is durable a moment before anybody hears of it; and OnForgotten() judges when one
    // that is STOPPED may go.
    if (described != v1::TaskStatus::UNSPECIFIED && row.last_status() != v1::TaskStatus::STOPPED)
      Violate(absl::StrCat(task_id, " was described, and is not any more"));
    return;
  }
  const v1::Task& task = answer.tasks(0);
  v1::TaskStatus::Value shown = v1::TaskStatus::UNSPECIFIED;
  v1::TaskStatus::Value_Parse(task.last_status(), &shown);
  if (shown >= v1::TaskStatus::RUNNING && shown > row.last_status()) {
    Violate(absl::StrCat(task_id, " is described as ", task.last_status(), ", and durably ",
                         v1::TaskStatus::Value_Name(row.last_status())));
  }
  if (described >= v1::TaskStatus::RUNNING && shown < described) {
    Violate(absl::StrCat(task_id, " was described as ", v1::TaskStatus::Value_Name(described),
                         ", and is now as ", task.last_status()));
  }
  described = std::max(described, shown);
  CheckHealth(task_id, task);
}

// Nothing goes back, and how a task ended is said once.
void Witness::CheckOrder(const v1::StoredTask& before, const v1::StoredTask& after) {
  if (after.last_status() < before.last_status()) {
    Violate(absl::StrCat(before.id(), " went from ",
                         v1::TaskStatus::Value_Name(before.last_status()), " back to ",
                         v1::TaskStatus::Value_Name(after.last_status())));
  }
  if (before.desired_status() == v1::TaskStatus::STOPPED &&
      after.desired_status() != v1::TaskStatus::STOPPED) {
    Violate(absl::StrCat(before.id(), " is wanted again after its stop"));
  }
  if (before.last_status() == v1::TaskStatus::STOPPED &&
      before.SerializeAsString() != after.SerializeAsString()) {
    Violate(absl::StrCat(before.id(), " was STOPPED and has changed: ", before.ShortDebugString(),
                         " -> ", after.ShortDebugString()));
  }
}

// Health is the result of checks. A task's health follows from its essential containers'.
void Witness::CheckHealth(const std::string& task_id, const v1::Task& task) {
  bool has_checked = false, is_unhealthy = false, are_all_healthy = true;
  for (const v1::Container& container : task.containers()) {
    const std::string id = absl::StrCat(task_id, "-", container.name());
    const v1::ContainerDefinition* const definition = DefinitionOf(id);
    if (definition == nullptr) continue;
    const std::string& told = container.health_status();
    const auto found = containers_.find(id);
    const Container truth = found == containers_.end() ? Container() : found->second;
    if ((told == "HEALTHY" && truth.checks_passed == 0) ||
        (told == "UNHEALTHY" && truth.checks_failed < definition->health_check().retries())) {
      Violate(absl::StrCat(id, " is said to be ", told, "; of its checks ", truth.checks_passed,
                           " passed, ", truth.checks_failed, " failed"));
    }
    if (!definition->has_health_check() || !definition->essential()) continue;
    has_checked = true;
    is_unhealthy = is_unhealthy || told == "UNHEALTHY";
    are_all_healthy = are_all_healthy && told == "HEALTHY";
  }
  const std::string expected = is_unhealthy                     ? "UNHEALTHY"
                               : has_checked && are_all_healthy ? "HEALTHY"
                                                                : "UNKNOWN";
  if (task.has_health_status() && task.health_status() != expected) {
    Violate(absl::StrCat(task_id, " is said to be ", task.health_status(), "; it is ", expected));
  }
}

// A task that the controller holds to be STOPPED has no process, and ended as it says.
void Witness::CheckTerminal(const std::string& task_id, const v1::StoredTask& task) {
  for (const v1::StoredContainer& container : task.containers()) {
    const std::string id = absl::StrCat(task_id, "-", container.name());
    const auto found = containers_.find(id);
    if (found != containers_.end()) {
      CheckEnd(id, container, found->second);
      CheckNotRestarted(id, task, found->second);
    } else if (container.has_exit_code()) {
      Violate(absl::StrCat(id, " never ran; reported exit code ", container.exit_code()));
    }
  }
}

void Witness::CheckEnd(const std::string& id, const v1::StoredContainer& told,
                       const Container& truth) {
  std::optional<int> reported;
  if (told.has_exit_code()) reported = told.exit_code();
  if (truth.is_live) Violate(absl::StrCat(id, " runs, but its task is reported STOPPED"));
  // An end that nobody could see may be reported as unknown, but not as something else.
  const bool may_be_unknown = truth.is_evidence_lost && !reported;
  if (reported != truth.exit_code && !may_be_unknown) {
    Violate(absl::StrCat(id, " ended with ", Shown(truth.exit_code), "; reported exit code ",
                         Shown(reported), ", reason '", told.reason(), "'"));
  }
  if (truth.is_out_of_memory && reported && !truth.is_evidence_lost &&
      !absl::StrContains(told.reason(), "OutOfMemory")) {
    Violate(absl::StrCat(id, " ran out of memory; reported reason '", told.reason(), "'"));
  }
}

// The end of a container that its policy would have started again is no reason for a task to stop.
void Witness::CheckNotRestarted(const std::string& id, const v1::StoredTask& task,
                                const Container& truth) {
  const v1::ContainerDefinition* const definition = DefinitionOf(id);
  if (definition == nullptr || task.stop_code() != v1::StopCode::EssentialContainerExited) return;
  const v1::ContainerRestartPolicy& policy = definition->restart_policy();
  if (!policy.enabled() || truth.is_evidence_lost || !truth.exit_code.has_value() ||
      IsIgnored(policy, *truth.exit_code) || IsStoreLostSince(truth.host, truth.started_at)) {
    return;
  }
  const absl::Duration lived = truth.ended_at - truth.started_at;
  if (lived > absl::Seconds(policy.restart_attempt_period()) + kSurelyNoticed &&
      ClockSetAt(truth.host) < truth.ended_at) {
    Violate(absl::StrCat(id, " was not started again after a life of ", absl::FormatDuration(lived),
                         " and exit code ", *truth.exit_code));
  }
}

void Witness::OnForgotten(const std::string& task_id) {
  const auto stopped = stopped_.find(task_id);
  if (stopped == stopped_.end())
    return Violate(absl::StrCat(task_id, " is forgotten, not STOPPED"));
  const bool is_clock_set = controller_clock_set_ && *controller_clock_set_ >= stopped->second;
  if (clock_->Monotonic() - stopped->second < kStoppedRetention && !is_clock_set) {
    Violate(absl::StrCat(task_id, " is forgotten ",
                         absl::FormatDuration(clock_->Monotonic() - stopped->second),
                         " after it was STOPPED"));
  }
}

}  // namespace davit::sim
