#include "agent/task/task_snapshot.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace davit::task {
namespace {

bool Any(const TaskSnapshot& task, bool (*claim)(const ContainerSnapshot&)) {
  return std::any_of(task.containers.begin(), task.containers.end(), claim);
}

}  // namespace

std::string WaitingReasonOf(const TaskSnapshot& task) {
  if (task.stuck_calls.empty()) return task.waiting_reason;
  return absl::StrCat("a call on the host hangs: ", absl::StrJoin(task.stuck_calls, "; "),
                      task.waiting_reason.empty() ? "" : "; ", task.waiting_reason);
}

v1::TaskStatus::Value StatusOf(const TaskSnapshot& task) {
  if (task.finished) return v1::TaskStatus::STOPPED;
  const bool all_stopped = !Any(task, [](const auto& c) { return c.phase != Phase::kStopped; });
  if (task.goal == Goal::kStop) {
    return all_stopped ? v1::TaskStatus::DEPROVISIONING : v1::TaskStatus::STOPPING;
  }
  if (!Any(task, [](const auto& c) { return c.phase < Phase::kRunning; }))
    return v1::TaskStatus::RUNNING;
  if (Any(task, [](const auto& c) { return c.phase >= Phase::kCreated; }))
    return v1::TaskStatus::ACTIVATING;
  return v1::TaskStatus::PENDING;
}

v1::ContainerStatus::Value StatusOf(const ContainerSnapshot& container) {
  switch (container.phase) {
    case Phase::kRunning:
      return v1::ContainerStatus::RUNNING;
    case Phase::kStopped:
      return v1::ContainerStatus::STOPPED;
    default:  // between two lives it counts as running, because a status never goes back
      return container.restart_count > 0 ? v1::ContainerStatus::RUNNING
                                         : v1::ContainerStatus::PENDING;
  }
}

ContainerSnapshot* FindContainer(TaskSnapshot* task, absl::string_view name) {
  for (ContainerSnapshot& container : task->containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

const ContainerSnapshot* FindContainer(const TaskSnapshot& task, absl::string_view name) {
  for (const ContainerSnapshot& container : task.containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

Health HealthOf(const ContainerSnapshot& container) {
  bool is_healthy = !container.probes.empty();
  for (const auto& [kind, probe] : container.probes) {
    if (kind == ProbeKind::kLiveness && probe.health == Health::kUnhealthy) {
      return Health::kUnhealthy;
    }
    is_healthy = is_healthy && probe.health == Health::kHealthy;
  }
  return is_healthy ? Health::kHealthy : Health::kUnknown;
}

absl::string_view ToString(Goal goal) { return goal == Goal::kRun ? "run" : "stop"; }

absl::string_view ToString(Phase phase) {
  switch (phase) {
    case Phase::kNone:
      return "none";
    case Phase::kPulled:
      return "pulled";
    case Phase::kCreated:
      return "created";
    case Phase::kRunning:
      return "running";
    case Phase::kStopped:
      return "stopped";
  }
  return "?";
}

absl::string_view ToString(Work work) {
  switch (work) {
    case Work::kNothing:
      return "nothing";
    case Work::kPull:
      return "pull";
    case Work::kCreate:
      return "create";
    case Work::kStart:
      return "start";
    case Work::kBackoff:
      return "backoff";
    case Work::kAdmit:
      return "admit";
    case Work::kProvision:
      return "provision";
    case Work::kDeprovision:
      return "deprovision";
  }
  return "?";
}

absl::string_view ToString(Health health) {
  switch (health) {
    case Health::kUnknown:
      return "UNKNOWN";
    case Health::kHealthy:
      return "HEALTHY";
    case Health::kUnhealthy:
      return "UNHEALTHY";
  }
  return "?";
}

absl::string_view ToString(ProbeKind kind) {
  return kind == ProbeKind::kLiveness ? "liveness" : "readiness";
}

}  // namespace davit::task
