#include "controller/cluster/render.h"

namespace davit::controller::cluster {

ClusterView ViewOf(const state::Cluster& cluster) {
  return {cluster.record, static_cast<int>(cluster.instances.size()), cluster.running_count,
          cluster.pending_count};
}

v1::Cluster Render(const state::Place& place, const ClusterView& cluster) {
  const v1::StoredCluster& record = *cluster.record;
  v1::Cluster out;
  out.set_cluster_arn(state::ClusterArn(place, record.name()));
  out.set_cluster_name(record.name());
  out.set_status(v1::ObjectStatus::Value_Name(record.status()));
  *out.mutable_tags() = record.tags();
  *out.mutable_settings() = record.settings();
  if (record.has_configuration()) *out.mutable_configuration() = record.configuration();
  out.set_registered_container_instances_count(cluster.instance_count);
  out.set_running_tasks_count(cluster.running_count);
  out.set_pending_tasks_count(cluster.pending_count);
  out.set_active_services_count(0);
  return out;
}

}  // namespace davit::controller::cluster
