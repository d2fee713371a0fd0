#ifndef DAVIT_CONTROLLER_CLUSTER_OPERATIONS_H_
#define DAVIT_CONTROLLER_CLUSTER_OPERATIONS_H_

#include "absl/status/statusor.h"
#include "controller/change/change.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::cluster {

// Idempotent: an ACTIVE cluster of that name is answered unchanged.
absl::StatusOr<v1::CreateClusterResponse> Apply(const v1::CreateClusterRequest& request,
                                                change::Change* change);
// The cluster stays, as INACTIVE.
absl::StatusOr<v1::DeleteClusterResponse> Apply(const v1::DeleteClusterRequest& request,
                                                change::Change* change);

}  // namespace davit::controller::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_OPERATIONS_H_
