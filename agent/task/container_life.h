#ifndef DAVIT_AGENT_TASK_CONTAINER_LIFE_H_
#define DAVIT_AGENT_TASK_CONTAINER_LIFE_H_

#include "agent/task/task_snapshot.h"

namespace davit::task {

// A container may live several times (ECS's restartPolicy), and may be checked while it lives.
// Pure.

// Whether the policy has it started again after the exit code that it has: enabled, not ignored,
// and this life lasted for the attempt period at least (no restart loop faster than that).
bool MayRestart(const ContainerSnapshot& container, absl::Time exited_at);

// Makes the container ready to be created again, in the same snapshot and network.
void BeginNextLife(absl::Time exited_at, ContainerSnapshot* container);

// An end that was noted already: news of it may come late and repeatedly.
bool IsOfEarlierLife(absl::Time exited_at, const ContainerSnapshot& container);

// Whether the exit code that it has is our stop signal's doing. With `out_of_memory` only the
// signal's own number counts: a process of it was killed by the kernel, at some time.
bool EndedAsAsked(const TaskSnapshot& task, const ContainerSnapshot& container, bool out_of_memory);

// As many results of a probe are kept as Docker keeps.
inline constexpr size_t kKeptResults = 5;

// Notes how a check of `container` ended: Docker's rules. One success makes it HEALTHY; `retries`
// failures in a row make it UNHEALTHY; failures within the start period do not count as long as no
// check has succeeded.
void NoteCheck(absl::Time at, const CheckResult& result, const ContainerSnapshot& container,
               Probe* probe);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_CONTAINER_LIFE_H_
