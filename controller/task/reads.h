#ifndef DAVIT_CONTROLLER_TASK_READS_H_
#define DAVIT_CONTROLLER_TASK_READS_H_

#include "absl/status/statusor.h"
#include "controller/state/view.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::task {

// Thread-safe. Unknown tasks come back as failures with reason MISSING.
absl::StatusOr<v1::DescribeTasksResponse> Read(const v1::DescribeTasksRequest& request,
                                               const state::View& view);
absl::StatusOr<v1::ListTasksResponse> Read(const v1::ListTasksRequest& request,
                                           const state::View& view);

}  // namespace davit::controller::task

#endif  // DAVIT_CONTROLLER_TASK_READS_H_
