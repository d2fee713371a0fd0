#include "agent/supervisor/task_view.h"

#include <utility>

#include "agent/task/task_record.h"
#include "base/clock.h"

namespace davit::supervisor {

TaskView ViewOf(const Task& task, const task::TaskSnapshot& snapshot) {
  TaskView view;
  view.state = task::ToTaskState(task.arn(), snapshot, 0);
  view.desired_status = snapshot.goal == task::Goal::kRun ? "RUNNING" : "STOPPED";
  view.observed = snapshot.observed;
  view.family = task.assignment().task_definition().family();
  view.revision = task.assignment().task_definition().revision();
  for (const task::ContainerSnapshot& container : snapshot.containers) {
    view.containers.push_back({task.Definition(container.name).image(), container.pid,
                               container.probes, container.post_mortem});
  }
  return view;
}

void ViewGathering::Begin(const std::vector<std::shared_ptr<Task>>& tasks) {
  {
    MutexLock lock(&mu_);
    missing_ = tasks.size();
  }
  changed_.NotifyAll();
  for (const std::shared_ptr<Task>& task : tasks) {
    task->Inspect([self = shared_from_this(), task](const task::TaskSnapshot& snapshot) {
      TaskView view = ViewOf(*task, snapshot);
      {
        MutexLock lock(&self->mu_);
        self->views_.push_back(std::move(view));
        --*self->missing_;
      }
      self->changed_.NotifyAll();
    });
  }
}

absl::StatusOr<std::vector<TaskView>> ViewGathering::Wait(absl::Duration timeout) {
  const absl::Duration deadline = Clock::Real()->Monotonic() + timeout;
  MutexLock lock(&mu_);
  while (missing_ != std::optional<size_t>(0)) {
    const absl::Duration left = deadline - Clock::Real()->Monotonic();
    if (left <= absl::ZeroDuration())
      return absl::DeadlineExceededError("the agent's tasks do not answer");
    changed_.WaitFor(&mu_, left);
  }
  return std::move(views_);
}

}  // namespace davit::supervisor
