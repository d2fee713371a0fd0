#ifndef DAVIT_AGENT_TASK_DEPENDENCIES_H_
#define DAVIT_AGENT_TASK_DEPENDENCIES_H_

#include <string>

#include "absl/status/status.h"
#include "agent/task/task_snapshot.h"

namespace davit::task {

// ECS's container ordering (dependsOn). Pure.

struct DependencyAnswer {
  enum class Verdict { kMet, kWaits, kNever };
  Verdict verdict = Verdict::kMet;
  std::string reason;  // kWaits, kNever: in words, of the first condition that is in the way
};
// Whether all that `container` depends on allows it to be created.
DependencyAnswer AnswerDependencies(const TaskSnapshot& task, const ContainerSnapshot& container);

// Whether every container that depends on `container` has ended, so that it may be stopped: the
// reverse order.
bool MayStop(const TaskSnapshot& task, const ContainerSnapshot& container);

// InvalidArgument: a dependency on an unknown container or on itself, a cycle, or HEALTHY of one
// that is not checked (such a task could never run). Names the containers.
absl::Status CheckDependencies(const TaskSnapshot& task);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_DEPENDENCIES_H_
