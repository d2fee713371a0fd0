#ifndef DAVIT_AGENT_TASK_TASK_MACHINE_H_
#define DAVIT_AGENT_TASK_TASK_MACHINE_H_

#include "agent/task/task_action.h"
#include "agent/task/task_event.h"
#include "agent/task/task_snapshot.h"

namespace davit::task {

struct Step {
  TaskSnapshot next;
  Actions actions;  // to be begun in this order
};

// Decides everything about a task. Pure; time comes with the event. Two halves: the event is noted
// as a fact, then what the goal needs next and is not yet under way is begun (task_plan.h). So no
// order of events can leave a task without work in flight, an armed timer, or a process to wait
// for. An event that does not fit (late, repeated, about an unknown container) changes nothing.
//
// Order of actions in a step: Persist first if something must not be repeated or lost, Report last.
Step Advance(const TaskSnapshot& task, const Event& event);

// The first step of an unfinished task that was loaded from the store: nothing is in flight any
// more, and if anything of it may be on the host, the runtime is asked before anything is done.
Step Recover(TaskSnapshot task);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_MACHINE_H_
