#ifndef DAVIT_AGENT_TASK_TASK_CHANGES_H_
#define DAVIT_AGENT_TASK_TASK_CHANGES_H_

#include "absl/strings/string_view.h"
#include "agent/task/task_snapshot.h"

namespace davit::task {

// Changes of a snapshot that both halves of the machine need: noting events and planning. Pure.

// Begins to stop the task. The first reason and code win.
void BeginStopping(absl::string_view reason, v1::StopCode::Value code, TaskSnapshot* task);

// Records the container's end; it is no longer ready. The first reason wins.
void StopContainer(absl::Time at, absl::string_view reason, ContainerSnapshot* container);

// Records that a container could not start. If it is essential, the task stops.
void FailContainer(absl::Time at, absl::string_view reason, TaskSnapshot* task,
                   ContainerSnapshot* container);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_CHANGES_H_
