#ifndef DAVIT_AGENT_TASK_CONTAINER_LIFE_H_
#define DAVIT_AGENT_TASK_CONTAINER_LIFE_H_

#include "agent/task/task_snapshot.h"

namespace davit::task {

// A container may have several lives (ECS's restartPolicy), and may be checked during them. Pure.

// A time by both of the host's clocks.
struct Moment {
  absl::Time wall;
  absl::Duration uptime;
};

// How long the container had lived at `until`, a time of the wall clock as it is set `now`. Changes
// of that clock since the start do not matter.
absl::Duration LifeUntil(absl::Time until, const Moment& now, const ContainerSnapshot& container);

// Whether the policy restarts the container after its exit code: the policy is enabled, the code is
// not ignored, and this life (`lived`) was not shorter than the attempt period, which prevents fast
// restart loops.
bool MayRestart(const ContainerSnapshot& container, absl::Duration lived);

// Prepares the container for its next creation, in the same snapshot and network.
void BeginNextLife(absl::Time exited_at, ContainerSnapshot* container);

// Whether our stop signal caused the container's exit code. With `out_of_memory` (the kernel has
// killed one of its processes at some time) only the signal's own number counts.
bool EndedAsAsked(const TaskSnapshot& task, const ContainerSnapshot& container, bool out_of_memory);

// The number of results kept per probe, as in Docker.
inline constexpr size_t kKeptResults = 5;

// Records the result of a check by Docker's rules. One success makes the container HEALTHY.
// `retries` consecutive failures make it UNHEALTHY. Failures within the start period do not count
// until a check has succeeded.
void NoteCheck(const Moment& now, const CheckResult& result, const ContainerSnapshot& container,
               Probe* probe);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_CONTAINER_LIFE_H_
