#include "controller/instance/reads.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "controller/ecs/ecs_error.h"
#include "controller/ecs/paging.h"
#include "controller/ecs/requests.h"
#include "controller/instance/render.h"
#include "controller/state/lookup.h"

namespace davit::controller::instance {

using state::State;

absl::StatusOr<v1::DescribeContainerInstancesResponse> Read(
    const v1::DescribeContainerInstancesRequest& request, const state::View& view) {
  std::vector<std::optional<InstanceView>> found;
  absl::Status status;
  view.Look([&](const State& state) {
    const auto cluster = state::GetCluster(state, request.cluster());
    status = cluster.status();
    if (!status.ok()) return;
    status = ecs::CheckBatch(request.container_instances_size(), "containerInstances");
    if (!status.ok()) return;
    for (const std::string& name : request.container_instances()) {
      const state::Instance* instance = state::FindInstance(**cluster, name);
      found.push_back(instance == nullptr ? std::nullopt : std::optional(ViewOf(*instance)));
    }
  });
  RETURN_IF_ERROR(status);
  v1::DescribeContainerInstancesResponse response;
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) {
      const std::string type =
          absl::StrCat("container-instance/", state::ClusterName(request.cluster()));
      ecs::AddMissing(
          state::NamedArn(view.place(), type, request.container_instances(static_cast<int>(i))),
          &response);
      continue;
    }
    v1::ContainerInstance* out = response.add_container_instances();
    *out = Render(view.place(), *found[i]);
    if (!ecs::Contains(request.include(), "TAGS")) out->clear_tags();
    if (ecs::Contains(request.include(), "CONTAINER_INSTANCE_HEALTH"))
      *out->mutable_health_status() = RenderHealth(*found[i]);
  }
  return response;
}

absl::StatusOr<v1::ListContainerInstancesResponse> Read(
    const v1::ListContainerInstancesRequest& request, const state::View& view) {
  RETURN_IF_ERROR(ecs::CheckOneOf(
      "status", request.status(),
      {"ACTIVE", "DRAINING", "REGISTERING", "DEREGISTERING", "REGISTRATION_FAILED"}));
  if (request.has_filter()) {
    return ecs::EcsError("UnsupportedFeatureException",
                         "filter: the cluster query language is not supported.");
  }
  ASSIGN_OR_RETURN(ecs::Page page, ecs::PageOf(request, "ListContainerInstances"));
  ecs::PageFiller filler("ListContainerInstances", std::move(page));
  v1::ListContainerInstancesResponse response;
  absl::Status status;
  view.Look([&](const State& state) {
    const auto cluster = state::GetCluster(state, request.cluster());
    status = cluster.status();
    if (!status.ok()) return;
    for (auto entry = (*cluster)->instances.upper_bound(filler.after());
         entry != (*cluster)->instances.end(); ++entry) {
      const v1::StoredContainerInstance& record = *entry->second->record;
      if (request.has_status() &&
          v1::ContainerInstanceStatus::Value_Name(record.status()) != request.status()) {
        continue;
      }
      if (!filler.Take(entry->first)) break;
      response.add_container_instance_arns(state::ArnOf(view.place(), record));
    }
  });
  RETURN_IF_ERROR(status);
  filler.SetNextToken(&response);
  return response;
}

}  // namespace davit::controller::instance
