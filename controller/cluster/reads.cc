#include "controller/cluster/reads.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "controller/cluster/render.h"
#include "controller/ecs/paging.h"
#include "controller/ecs/requests.h"
#include "controller/state/lookup.h"

namespace davit::controller::cluster {
namespace {

void AddStatistic(absl::string_view name, int value, v1::Cluster* cluster) {
  v1::KeyValuePair* statistic = cluster->add_statistics();
  statistic->set_name(std::string(name));
  statistic->set_value(absl::StrCat(value));
}

void AddStatistics(const ClusterView& cluster, v1::Cluster* out) {
  AddStatistic("runningEC2TasksCount", cluster.running_count, out);
  AddStatistic("pendingEC2TasksCount", cluster.pending_count, out);
  for (const char* none :
       {"runningFargateTasksCount", "pendingFargateTasksCount", "activeEC2ServiceCount",
        "activeFargateServiceCount", "drainingEC2ServiceCount", "drainingFargateServiceCount"}) {
    AddStatistic(none, 0, out);
  }
}

}  // namespace

absl::StatusOr<v1::DescribeClustersResponse> Read(const v1::DescribeClustersRequest& request,
                                                  const state::View& view) {
  std::vector<std::string> names(request.clusters().begin(), request.clusters().end());
  if (names.empty()) names.emplace_back("default");
  RETURN_IF_ERROR(ecs::CheckBatch(static_cast<int>(names.size()), "clusters"));
  std::vector<std::optional<ClusterView>> found;
  view.Look([&](const state::State& state) {
    for (const std::string& name : names) {
      const state::Cluster* cluster = state.FindCluster(state::ClusterName(name));
      found.push_back(cluster == nullptr ? std::nullopt : std::optional(ViewOf(*cluster)));
    }
  });
  v1::DescribeClustersResponse response;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!found[i]) {
      ecs::AddMissing(state::NamedArn(view.place(), "cluster", names[i]), &response);
      continue;
    }
    v1::Cluster* out = response.add_clusters();
    *out = Render(view.place(), *found[i]);
    if (!ecs::Contains(request.include(), "TAGS")) out->clear_tags();
    if (!ecs::Contains(request.include(), "SETTINGS")) out->clear_settings();
    if (!ecs::Contains(request.include(), "CONFIGURATIONS")) out->clear_configuration();
    if (ecs::Contains(request.include(), "STATISTICS")) AddStatistics(*found[i], out);
  }
  return response;
}

absl::StatusOr<v1::ListClustersResponse> Read(const v1::ListClustersRequest& request,
                                              const state::View& view) {
  ASSIGN_OR_RETURN(ecs::Page page, ecs::PageOf(request, "ListClusters"));
  ecs::PageFiller filler("ListClusters", std::move(page));
  v1::ListClustersResponse response;
  view.Look([&](const state::State& state) {
    for (auto entry = state.clusters().upper_bound(filler.after()); entry != state.clusters().end();
         ++entry) {
      if (entry->second.record->status() != v1::ObjectStatus::ACTIVE) continue;
      if (!filler.Take(entry->first)) break;
      response.add_cluster_arns(state::ClusterArn(view.place(), entry->first));
    }
  });
  filler.SetNextToken(&response);
  return response;
}

}  // namespace davit::controller::cluster
