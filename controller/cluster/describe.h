#ifndef DAVIT_CONTROLLER_CLUSTER_DESCRIBE_H_
#define DAVIT_CONTROLLER_CLUSTER_DESCRIBE_H_

#include "absl/status/statusor.h"
#include "controller/cluster/state.h"

namespace davit::cluster {

// Objects as the API shows them: their records with what is derived filled in.
v1::Cluster DescribeCluster(const Cluster& cluster);
v1::Task DescribeTask(const Task& task);
v1::ContainerInstance DescribeInstance(const Instance& instance);

// The Describe operations. Unknown objects come back as failures with reason MISSING.
absl::StatusOr<v1::DescribeClustersResponse> Read(const State& state,
                                                  const v1::DescribeClustersRequest& request);
absl::StatusOr<v1::DescribeTaskDefinitionResponse> Read(
    const State& state, const v1::DescribeTaskDefinitionRequest& request);
absl::StatusOr<v1::DescribeTasksResponse> Read(const State& state,
                                               const v1::DescribeTasksRequest& request);
absl::StatusOr<v1::DescribeContainerInstancesResponse> Read(
    const State& state, const v1::DescribeContainerInstancesRequest& request);

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_DESCRIBE_H_
