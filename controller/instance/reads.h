#ifndef DAVIT_CONTROLLER_INSTANCE_READS_H_
#define DAVIT_CONTROLLER_INSTANCE_READS_H_

#include "absl/status/statusor.h"
#include "controller/state/view.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::instance {

// Thread-safe. Unknown instances come back as failures with reason MISSING.
absl::StatusOr<v1::DescribeContainerInstancesResponse> Read(
    const v1::DescribeContainerInstancesRequest& request, const state::View& view);
absl::StatusOr<v1::ListContainerInstancesResponse> Read(
    const v1::ListContainerInstancesRequest& request, const state::View& view);

}  // namespace davit::controller::instance

#endif  // DAVIT_CONTROLLER_INSTANCE_READS_H_
