#ifndef DAVIT_AGENT_TASK_NEW_TASK_H_
#define DAVIT_AGENT_TASK_NEW_TASK_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/task/admission_ledger.h"
#include "agent/task/task_snapshot.h"
#include "davit/v1/agent.pb.h"

namespace davit::task {

// The snapshot of a newly assigned task. `default_stop_timeout` is for containers without
// stopTimeout. InvalidArgument: the assignment is invalid: no ARN, no container, a container name
// that is empty or repeated, an invalid readiness check. The message names the problem.
absl::StatusOr<TaskSnapshot> NewTask(const v1::Assignment& assignment,
                                     absl::Duration default_stop_timeout);

// What the task reserves on the host, computed as ECS does. Task cpu (units) and memory (MiB) if
// set, else the sums of the containers' cpu and of their memoryReservation (or else memory). Static
// host ports in bridge and host mode. The GPUs that the controller assigned.
ResourceNeeds NeedsOf(const v1::Assignment& assignment);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_NEW_TASK_H_
