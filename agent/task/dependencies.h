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
  std::string reason;  // kWaits, kNever: the first condition that does not hold
};
// Whether the dependencies of `container` allow its creation.
DependencyAnswer AnswerDependencies(const TaskSnapshot& task, const ContainerSnapshot& container);

// Whether every container that depends on `container` has ended, so that it may be stopped.
// Containers stop in the reverse order.
bool MayStop(const TaskSnapshot& task, const ContainerSnapshot& container);

// InvalidArgument: a dependency on an unknown container or on itself, a cycle, or HEALTHY of a
// container without checks (such a task could never run). The message names the containers.
absl::Status CheckDependencies(const TaskSnapshot& task);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_DEPENDENCIES_H_
