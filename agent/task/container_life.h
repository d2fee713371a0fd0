#ifndef DAVIT_AGENT_TASK_CONTAINER_LIFE_H_
#define DAVIT_AGENT_TASK_CONTAINER_LIFE_H_

#include "agent/task/task_snapshot.h"

namespace davit::task {

// A container may live several times (ECS's restartPolicy), and may be checked while it lives.
// Pure.

// A time, by both of the host's clocks.
struct Moment {
  absl::Time wall;
  absl::Duration uptime;
};

// For how long it had lived at `until`, a time of the wall clock as it is set `now`. What was done
// to that clock since its start makes no difference.
absl::Duration LifeUntil(absl::Time until, const Moment& now, const ContainerSnapshot& container);

// Whether the policy has it started again after the exit code that it has: enabled, not ignored,
// and this life, which lasted for `lived`, was not shorter than the attempt period (no restart loop
// faster than that).
bool MayRestart(const ContainerSnapshot& container, absl::Duration lived);

// Makes the container ready to be created again, in the same snapshot and network.
void BeginNextLife(absl::Time exited_at, ContainerSnapshot* container);

// Whether the exit code that it has is our stop signal's doing. With `out_of_memory` only the
// signal's own number counts: a process of it was killed by the kernel, at some time.
bool EndedAsAsked(const TaskSnapshot& task, const ContainerSnapshot& container, bool out_of_memory);

// As many results of a probe are kept as Docker keeps.
inline constexpr size_t kKeptResults = 5;

// Notes how a check of `container` ended: Docker's rules. One success makes it HEALTHY; `retries`
// failures in a row make it UNHEALTHY; failures within the start period do not count as long as no
// check has succeeded.
void NoteCheck(const Moment& now, const CheckResult& result, const ContainerSnapshot& container,
               Probe* probe);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_CONTAINER_LIFE_H_
