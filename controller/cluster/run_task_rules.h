#ifndef DAVIT_CONTROLLER_CLUSTER_RUN_TASK_RULES_H_
#define DAVIT_CONTROLLER_CLUSTER_RUN_TASK_RULES_H_

#include "absl/status/statusor.h"
#include "controller/cluster/state.h"

namespace davit::cluster {

// The revision that a new task may be made from. ClientException: unknown, or not ACTIVE.
absl::StatusOr<const Revision*> FindRunnable(const State& state, absl::string_view task_definition);

// What RunTask refuses before it looks for a place: members out of their ranges
// (InvalidParameterException, all of them in one message), and what this controller or its agents
// do not do (UnsupportedFeatureException, likewise).
absl::Status CheckRunTask(const v1::RunTaskRequest& request, const v1::TaskDefinition& definition);

// With cpu and memory as plain numbers ("1 vCPU" -> "1024"). `overrides` has passed CheckRunTask().
v1::TaskOverride NormalizedOverrides(v1::TaskOverride overrides);

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_RUN_TASK_RULES_H_
