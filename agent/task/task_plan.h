#ifndef DAVIT_AGENT_TASK_TASK_PLAN_H_
#define DAVIT_AGENT_TASK_TASK_PLAN_H_

#include "agent/task/task_action.h"
#include "agent/task/task_snapshot.h"

namespace davit::task {

// Begins what the goal needs next and is not under way: marks it in `task` and appends the actions.
// Calling it twice begins nothing twice.
void Plan(absl::Time now, TaskSnapshot* task, Actions* actions);

// The delay before the n-th try (n = 1, 2, ...) of work that may succeed later: 200 ms doubling to
// 10 s.
absl::Duration RetryDelay(int failures);

// How long after each SIGKILL the next one follows, and the cgroup is killed past the runtime.
inline constexpr absl::Duration kKillInterval = absl::Seconds(5);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_PLAN_H_
