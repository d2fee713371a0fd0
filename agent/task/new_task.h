#ifndef DAVIT_AGENT_TASK_NEW_TASK_H_
#define DAVIT_AGENT_TASK_NEW_TASK_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/task/admission_ledger.h"
#include "agent/task/task_snapshot.h"
#include "davit/v1/agent.pb.h"

namespace davit::task {

// The snapshot of a task that the controller has just assigned. `default_stop_timeout` is used
// where the definition has no stopTimeout. InvalidArgument: an assignment that no task can be made
// of (no ARN, no container, a container without or with a repeated name, a readiness check that is
// none): it is refused by name and touches nothing.
absl::StatusOr<TaskSnapshot> NewTask(const v1::Assignment& assignment,
                                     absl::Duration default_stop_timeout);

// What the task takes of the host: ECS's arithmetic. Task cpu (units) and memory (MiB) if set, else
// the sums of the containers' cpu and of (memoryReservation or else memory); host ports named in
// bridge and host mode; the GPUs that the controller assigned.
ResourceNeeds NeedsOf(const v1::Assignment& assignment);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_NEW_TASK_H_
