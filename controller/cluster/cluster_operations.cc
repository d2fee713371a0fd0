// Clusters: create and delete.
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "controller/cluster/describe.h"
#include "controller/cluster/ecs_error.h"
#include "controller/cluster/model.h"

namespace davit::cluster {

Cluster* Model::MakeCluster(const std::string& name, const v1::CreateClusterRequest& request) {
  v1::StoredCluster record;
  v1::Cluster* cluster = record.mutable_cluster();
  cluster->set_cluster_arn(MakeArn(options_.place, absl::StrCat("cluster/", name)));
  cluster->set_cluster_name(name);
  cluster->set_status("ACTIVE");
  *cluster->mutable_tags() = request.tags();
  *cluster->mutable_settings() = request.settings();
  if (cluster->settings().empty()) {
    v1::ClusterSetting* setting = cluster->add_settings();
    setting->set_name("containerInsights");
    setting->set_value("disabled");
  }
  if (request.has_configuration()) *cluster->mutable_configuration() = request.configuration();
  return state_.PutCluster(std::move(record));
}

Model::Result Model::On(const v1::CreateClusterRequest& request) {
  const std::string name = request.has_cluster_name() ? request.cluster_name() : "default";
  if (!IsName(name)) {
    return InvalidParameter(absl::StrCat(
        "clusterName: must be 1..255 letters, digits, hyphens and underscores, is '", name, "'"));
  }
  if (!request.capacity_providers().empty() ||
      !request.default_capacity_provider_strategy().empty()) {
    return EcsError("UnsupportedFeatureException",
                    "capacityProviders: capacity providers are not supported.");
  }
  if (request.has_service_connect_defaults()) {
    return EcsError("UnsupportedFeatureException",
                    "serviceConnectDefaults: Service Connect is not supported.");
  }
  const Cluster* cluster = state_.FindCluster(name);
  if (cluster == nullptr || cluster->record.cluster().status() != "ACTIVE")
    cluster = MakeCluster(name, request);
  auto response = std::make_shared<v1::CreateClusterResponse>();
  *response->mutable_cluster() = DescribeCluster(*cluster);
  return response;
}

Model::Result Model::On(const v1::DeleteClusterRequest& request) {
  if (!request.has_cluster()) return InvalidParameter("cluster: must be given.");
  Cluster* cluster = state_.FindCluster(ClusterName(request.cluster()));
  if (cluster == nullptr) return ClusterNotFound();
  if (cluster->running_count + cluster->pending_count > 0) {
    return EcsError("ClusterContainsTasksException",
                    "The Cluster cannot be deleted while Tasks are active.");
  }
  if (!cluster->instances.empty()) {
    return EcsError(
        "ClusterContainsContainerInstancesException",
        "The Cluster cannot be deleted while Container Instances are active or draining.");
  }
  if (cluster->record.cluster().status() != "INACTIVE") {
    v1::StoredCluster record = cluster->record;
    record.mutable_cluster()->set_status("INACTIVE");
    cluster = state_.PutCluster(std::move(record));
  }
  auto response = std::make_shared<v1::DeleteClusterResponse>();
  *response->mutable_cluster() = DescribeCluster(*cluster);
  return response;
}

}  // namespace davit::cluster
