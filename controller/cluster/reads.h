#ifndef DAVIT_CONTROLLER_CLUSTER_READS_H_
#define DAVIT_CONTROLLER_CLUSTER_READS_H_

#include "absl/status/statusor.h"
#include "controller/state/view.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::cluster {

// Thread-safe. Unknown clusters come back as failures with reason MISSING.
absl::StatusOr<v1::DescribeClustersResponse> Read(const v1::DescribeClustersRequest& request,
                                                  const state::View& view);
absl::StatusOr<v1::ListClustersResponse> Read(const v1::ListClustersRequest& request,
                                              const state::View& view);

}  // namespace davit::controller::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_READS_H_
