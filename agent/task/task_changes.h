#ifndef DAVIT_AGENT_TASK_TASK_CHANGES_H_
#define DAVIT_AGENT_TASK_TASK_CHANGES_H_

#include "absl/strings/string_view.h"
#include "agent/task/task_snapshot.h"

namespace davit::task {

// Changes of a snapshot that both halves of the machine make: noting events and planning. Pure.

// The first cause of a stop is the one that is told.
void BeginStopping(absl::string_view reason, v1::StopCode::Value code, TaskSnapshot* task);

// The container's end: it is not ready any more. The first reason is the one that is told.
void StopContainer(absl::Time at, absl::string_view reason, ContainerSnapshot* container);

// A container that could not be brought to run. An essential one takes the task with it.
void FailContainer(absl::Time at, absl::string_view reason, TaskSnapshot* task,
                   ContainerSnapshot* container);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_CHANGES_H_
