#ifndef DAVIT_CONTROLLER_TASK_RULES_H_
#define DAVIT_CONTROLLER_TASK_RULES_H_

#include "absl/status/status.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::task {

// What RunTask refuses before it looks for a place: members out of their ranges
// (InvalidParameterException, all of them in one message), and what this controller or its agents
// do not do (UnsupportedFeatureException, likewise).
absl::Status CheckRunTask(const v1::RunTaskRequest& request, const v1::TaskDefinition& definition);

// With cpu and memory as plain numbers ("1 vCPU" -> "1024"). `overrides` has passed CheckRunTask().
v1::TaskOverride NormalizedOverrides(v1::TaskOverride overrides);

}  // namespace davit::controller::task

#endif  // DAVIT_CONTROLLER_TASK_RULES_H_
