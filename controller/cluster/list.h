#ifndef DAVIT_CONTROLLER_CLUSTER_LIST_H_
#define DAVIT_CONTROLLER_CLUSTER_LIST_H_

#include "absl/status/statusor.h"
#include "controller/cluster/state.h"

namespace davit::cluster {

// The List operations: ARNs or names, sorted, in pages (paging.h).
absl::StatusOr<v1::ListClustersResponse> Read(const State& state,
                                              const v1::ListClustersRequest& request);
absl::StatusOr<v1::ListTaskDefinitionsResponse> Read(const State& state,
                                                     const v1::ListTaskDefinitionsRequest& request);
absl::StatusOr<v1::ListTaskDefinitionFamiliesResponse> Read(
    const State& state, const v1::ListTaskDefinitionFamiliesRequest& request);
absl::StatusOr<v1::ListTasksResponse> Read(const State& state, const v1::ListTasksRequest& request);
absl::StatusOr<v1::ListContainerInstancesResponse> Read(
    const State& state, const v1::ListContainerInstancesRequest& request);

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_LIST_H_
