#ifndef DAVIT_AGENT_TASK_TASK_PLAN_H_
#define DAVIT_AGENT_TASK_TASK_PLAN_H_

#include "agent/task/task_action.h"
#include "agent/task/task_snapshot.h"

namespace davit::task {

// Starts whatever the goal needs next: marks it in `task` and appends the actions. Idempotent: it
// starts nothing twice.
void Plan(absl::Time now, TaskSnapshot* task, Actions* actions);

// The delay before the n-th retry (n = 1, 2, ...): 200 ms, doubling up to 10 s.
absl::Duration RetryDelay(int failures);

// The time from one SIGKILL to the next. The later ones go to the cgroup directly, past the
// runtime.
inline constexpr absl::Duration kKillInterval = absl::Seconds(5);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_PLAN_H_
