#ifndef DAVIT_AGENT_TASK_TASK_MACHINE_H_
#define DAVIT_AGENT_TASK_TASK_MACHINE_H_

#include "agent/task/task_action.h"
#include "agent/task/task_event.h"
#include "agent/task/task_snapshot.h"

namespace davit::task {

struct Step {
  TaskSnapshot next;
  Actions actions;  // to be started in this order
};

// Decides everything about a task. Pure; time comes with the event. It has two halves: first it
// notes the event as a fact, then it starts whatever the goal needs next (task_plan.h). So no order
// of events can leave a task without work in flight, an armed timer, or a process to wait for. An
// event that does not fit (late, repeated, about an unknown container) changes nothing.
//
// Order of actions in a step: Persist first if something must not be repeated or lost, Report last.
Step Advance(const TaskSnapshot& task, const Event& event);

// The first step of an unfinished task from the store. Nothing is in flight any more. If the host
// may have parts of the task, the step inspects the runtime before it does anything else.
Step Recover(TaskSnapshot task);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_MACHINE_H_
