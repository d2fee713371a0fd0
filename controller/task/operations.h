#ifndef DAVIT_CONTROLLER_TASK_OPERATIONS_H_
#define DAVIT_CONTROLLER_TASK_OPERATIONS_H_

#include "absl/status/statusor.h"
#include "controller/change/change.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::task {

// Tasks that find no host come back as failures, one for each instance that refused. With the
// clientToken of an earlier request: that one's tasks again, or ConflictException.
absl::StatusOr<v1::RunTaskResponse> Apply(const v1::RunTaskRequest& request,
                                          change::Change* change);
// Idempotent: the first reason counts.
absl::StatusOr<v1::StopTaskResponse> Apply(const v1::StopTaskRequest& request,
                                           change::Change* change);

}  // namespace davit::controller::task

#endif  // DAVIT_CONTROLLER_TASK_OPERATIONS_H_
