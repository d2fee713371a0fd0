#include "agent/task/task_plan.h"

#include <algorithm>

#include "agent/task/dependencies.h"
#include "agent/task/task_changes.h"

namespace davit::task {
namespace {

int BeginWork(Work work, ContainerSnapshot* container) {
  container->work = work;
  return ++container->attempt;
}

int BeginWork(Work work, TaskSnapshot* task) {
  task->work = work;
  return ++task->attempt;
}

void PersistFirst(Actions* actions) {
  if (actions->empty() || !std::holds_alternative<Persist>(actions->front())) {
    actions->insert(actions->begin(), Persist{});
  }
}

void PlanCreate(absl::Time now, TaskSnapshot* task, ContainerSnapshot* container,
                Actions* actions) {
  const DependencyAnswer answer = AnswerDependencies(*task, *container);
  switch (answer.verdict) {
    case DependencyAnswer::Verdict::kMet:
      // Store the end of the last life before the runtime forgets it.
      if (container->restart_count > 0) PersistFirst(actions);
      actions->push_back(Create{container->name, BeginWork(Work::kCreate, container),
                                /*again=*/container->restart_count > 0 || container->has_remains});
      container->has_remains = false;
      break;
    case DependencyAnswer::Verdict::kWaits:
      task->waiting_reason = answer.reason;
      break;
    case DependencyAnswer::Verdict::kNever:
      FailContainer(now, answer.reason, task, container);
      break;
  }
}

void PlanRunningContainer(absl::Time now, TaskSnapshot* task, ContainerSnapshot* container,
                          Actions* actions) {
  if (container->work != Work::kNothing) return;
  switch (container->phase) {
    case Phase::kNone:
      if (!task->pull_started_at) task->pull_started_at = now;
      actions->push_back(Pull{container->name, BeginWork(Work::kPull, container)});
      break;
    case Phase::kPulled:
      PlanCreate(now, task, container, actions);
      break;
    case Phase::kCreated:
      // Store the intent before the process can run: a start is never repeated.
      PersistFirst(actions);
      actions->push_back(Start{container->name, BeginWork(Work::kStart, container)});
      break;
    case Phase::kRunning:
    case Phase::kStopped:
      break;
  }
}

void PlanRun(absl::Time now, TaskSnapshot* task, Actions* actions) {
  if (task->work != Work::kNothing) return;
  if (!task->admitted) {
    BeginWork(Work::kAdmit, task);
    actions->push_back(Admit{});
    return;
  }
  if (!task->provisioned) {
    task->owns_host_state = true;
    actions->push_back(Persist{});  // record the owner of what is about to be created
    actions->push_back(Provision{BeginWork(Work::kProvision, task)});
    return;
  }
  for (ContainerSnapshot& container : task->containers)
    PlanRunningContainer(now, task, &container, actions);
}

// Abandons work that has created nothing yet, and signals what runs. Waits for a creation or start
// in flight, whose result shows what there is to stop.
void PlanStoppingContainer(const TaskSnapshot& task, ContainerSnapshot* container,
                           Actions* actions) {
  if (container->work == Work::kCreate || container->work == Work::kStart ||
      StartIsUncertain(*container))
    return;
  switch (container->phase) {
    case Phase::kNone:
    case Phase::kPulled:
    case Phase::kCreated:
      if (container->work == Work::kPull) actions->push_back(CancelPull{container->name});
      BeginWork(Work::kNothing, container);
      container->phase = Phase::kStopped;
      break;
    case Phase::kRunning:
      if (container->stop_signals > 0 || !MayStop(task, *container))
        return;  // a timer or an exit continues from here
      container->stop_signals = 1;
      actions->push_back(Signal{container->name, container->stop_signal, false});
      actions->push_back(
          ArmTimer{TimerKey{TimerKey::Kind::kStop, container->name, 1}, container->stop_timeout});
      break;
    case Phase::kStopped:
      break;
  }
}

void Finish(absl::Time now, TaskSnapshot* task, Actions* actions) {
  task->finished = true;
  task->admitted = false;
  task->work = Work::kNothing;
  task->waiting_reason.clear();
  task->stuck_calls.clear();
  task->stopped_at = now;
  actions->push_back(Persist{});
  actions->push_back(Release{});
}

void PlanStop(absl::Time now, TaskSnapshot* task, Actions* actions) {
  if (!task->stopping_at) task->stopping_at = now;
  if (task->work == Work::kProvision || task->work == Work::kDeprovision) return;
  for (ContainerSnapshot& container : task->containers)
    PlanStoppingContainer(*task, &container, actions);
  const bool all_stopped = std::all_of(task->containers.begin(), task->containers.end(),
                                       [](const auto& c) { return c.phase == Phase::kStopped; });
  if (!all_stopped) return;
  if (!task->execution_stopped_at) task->execution_stopped_at = now;
  if (!task->owns_host_state) return Finish(now, task, actions);
  if (task->work == Work::kBackoff) return;
  actions->push_back(Persist{});  // store exit codes before the runtime forgets them
  actions->push_back(Deprovision{BeginWork(Work::kDeprovision, task)});
}

}  // namespace

absl::Duration RetryDelay(int failures) {
  const absl::Duration delay =
      absl::Milliseconds(100) * (int64_t{1} << std::clamp(failures, 1, 10));
  return std::min(delay, absl::Seconds(10));
}

void Plan(absl::Time now, TaskSnapshot* task, Actions* actions) {
  if (task->finished || !task->observed) return;
  if (task->goal == Goal::kRun) PlanRun(now, task, actions);
  if (task->goal == Goal::kStop)
    PlanStop(now, task, actions);  // also if planning found that the task cannot run
}

}  // namespace davit::task
