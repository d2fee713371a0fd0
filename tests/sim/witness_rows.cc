// What the controller hears and makes durable, held against what is true.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "tests/sim/control_plane.h"
#include "tests/sim/witness.h"
#include "tests/sim/workload.h"

namespace davit::sim {
namespace {

// An agent may learn of a start long after it has happened: a life that is longer than its attempt
// period by so much is long enough whatever its agent saw of it.
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
    // One more than there were: its next life has not begun yet, and perhaps never will.
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
  const std::string id = ShortId(row.task().task_arn());
  const auto [known, is_new] = rows_.try_emplace(id, row);
  if (!is_new) {
    CheckOrder(known->second, row);
    known->second = row;
  }
  CheckHealth(id, row.task());
  if (LastStatusOf(row) != v1::TaskStatus::STOPPED) return;
  CheckTerminal(id, row.task());
  stopped_.try_emplace(id, clock_->Monotonic());
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

// Health is what checks have said. The whole task's follows from its essential containers'.
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
void Witness::CheckTerminal(const std::string& task_id, const v1::Task& task) {
  for (const v1::Container& container : task.containers()) {
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

void Witness::CheckEnd(const std::string& id, const v1::Container& told, const Container& truth) {
  std::optional<int> reported;
  if (told.has_exit_code()) reported = told.exit_code();
  if (truth.is_live) Violate(absl::StrCat(id, " runs, but its task is reported STOPPED"));
  // An end that nobody could see may be reported as unknown, but not as another.
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
void Witness::CheckNotRestarted(const std::string& id, const v1::Task& task,
                                const Container& truth) {
  const v1::ContainerDefinition* const definition = DefinitionOf(id);
  if (definition == nullptr || task.stop_code() != "EssentialContainerExited") return;
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
