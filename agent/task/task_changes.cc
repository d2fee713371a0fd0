#include "agent/task/task_changes.h"

#include <string>

namespace davit::task {

void BeginStopping(absl::string_view reason, v1::StopCode::Value code, TaskSnapshot* task) {
  if (task->goal == Goal::kStop) return;
  task->goal = Goal::kStop;
  task->stopped_reason = std::string(reason);
  task->stop_code = code;
  if (task->work == Work::kBackoff) {
    task->work = Work::kNothing;
    ++task->attempt;
  }
}

void StopContainer(absl::Time at, absl::string_view reason, ContainerSnapshot* container) {
  container->phase = Phase::kStopped;
  container->work = Work::kNothing;
  ++container->attempt;
  container->pid = 0;
  const auto readiness = container->probes.find(ProbeKind::kReadiness);
  if (readiness != container->probes.end()) readiness->second.health = Health::kUnknown;
  if (container->reason.empty()) container->reason = std::string(reason);
  if (container->started_at && !container->finished_at) container->finished_at = at;
}

void FailContainer(absl::Time at, absl::string_view reason, TaskSnapshot* task,
                   ContainerSnapshot* container) {
  StopContainer(at, reason, container);
  if (container->essential)
    BeginStopping("Task failed to start", v1::StopCode::TaskFailedToStart, task);
}

}  // namespace davit::task
