#include "controller/cluster/operations.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "controller/cluster/render.h"
#include "controller/ecs/ecs_error.h"
#include "controller/ecs/rules.h"
#include "controller/state/lookup.h"

namespace davit::controller::cluster {
namespace {

absl::Status CheckCreate(const std::string& name, const v1::CreateClusterRequest& request) {
  if (!ecs::IsName(name)) {
    return ecs::InvalidParameter(absl::StrCat(
        "clusterName: must be 1..255 letters, digits, hyphens and underscores, is '", name, "'"));
  }
  if (!request.capacity_providers().empty() ||
      !request.default_capacity_provider_strategy().empty()) {
    return ecs::EcsError("UnsupportedFeatureException",
                         "capacityProviders: capacity providers are not supported.");
  }
  if (request.has_service_connect_defaults()) {
    return ecs::EcsError("UnsupportedFeatureException",
                         "serviceConnectDefaults: Service Connect is not supported.");
  }
  return absl::OkStatus();
}

v1::StoredCluster NewCluster(const std::string& name, const v1::CreateClusterRequest& request) {
  v1::StoredCluster record;
  record.set_name(name);
  record.set_status(v1::ObjectStatus::ACTIVE);
  *record.mutable_tags() = request.tags();
  *record.mutable_settings() = request.settings();
  if (record.settings().empty()) {
    v1::ClusterSetting* setting = record.add_settings();
    setting->set_name("containerInsights");
    setting->set_value("disabled");
  }
  if (request.has_configuration()) *record.mutable_configuration() = request.configuration();
  return record;
}

}  // namespace

absl::StatusOr<v1::CreateClusterResponse> Apply(const v1::CreateClusterRequest& request,
                                                change::Change* change) {
  const std::string name = request.has_cluster_name() ? request.cluster_name() : "default";
  RETURN_IF_ERROR(CheckCreate(name, request));
  const state::Cluster* cluster = change->state().FindCluster(name);
  if (cluster == nullptr || cluster->record->status() != v1::ObjectStatus::ACTIVE) {
    change->Put(NewCluster(name, request));
    cluster = change->state().FindCluster(name);
  }
  v1::CreateClusterResponse response;
  *response.mutable_cluster() = Render(change->place(), ViewOf(*cluster));
  return response;
}

absl::StatusOr<v1::DeleteClusterResponse> Apply(const v1::DeleteClusterRequest& request,
                                                change::Change* change) {
  if (!request.has_cluster()) return ecs::InvalidParameter("cluster: must be given.");
  const state::Cluster* cluster =
      change->state().FindCluster(state::ClusterName(request.cluster()));
  if (cluster == nullptr) return ecs::ClusterNotFound();
  if (cluster->running_count + cluster->pending_count > 0) {
    return ecs::EcsError("ClusterContainsTasksException",
                         "The Cluster cannot be deleted while Tasks are active.");
  }
  if (!cluster->instances.empty()) {
    return ecs::EcsError(
        "ClusterContainsContainerInstancesException",
        "The Cluster cannot be deleted while Container Instances are active or draining.");
  }
  if (cluster->record->status() != v1::ObjectStatus::INACTIVE) {
    v1::StoredCluster record = *cluster->record;
    record.set_status(v1::ObjectStatus::INACTIVE);
    change->Put(std::move(record));
  }
  v1::DeleteClusterResponse response;
  *response.mutable_cluster() = Render(change->place(), ViewOf(*cluster));
  return response;
}

}  // namespace davit::controller::cluster
