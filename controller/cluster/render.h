#ifndef DAVIT_CONTROLLER_CLUSTER_RENDER_H_
#define DAVIT_CONTROLLER_CLUSTER_RENDER_H_

#include "controller/state/state.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::cluster {

// All that is shown of one cluster. A value.
struct ClusterView {
  state::Ref<v1::StoredCluster> record;
  int instance_count = 0;
  int running_count = 0;
  int pending_count = 0;
};
ClusterView ViewOf(const state::Cluster& cluster);

// The cluster as the API shows it, without statistics.
v1::Cluster Render(const state::Place& place, const ClusterView& cluster);

}  // namespace davit::controller::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_RENDER_H_
