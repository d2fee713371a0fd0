#include "controller/cluster/list.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "controller/cluster/ecs_error.h"
#include "controller/cluster/names.h"
#include "controller/cluster/paging.h"

namespace davit::cluster {
namespace {

// An empty `value` stands for an absent member.
absl::Status CheckOneOf(absl::string_view member, absl::string_view value,
                        const std::vector<std::string>& allowed) {
  if (value.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end())
    return absl::OkStatus();
  return InvalidParameter(absl::StrCat(member, ": must be one of ", absl::StrJoin(allowed, ", "),
                                       "; is '", value, "'"));
}

// Fills pages from keys that come in order.
class PageFiller {
 public:
  PageFiller(absl::string_view operation, Page page)
      : operation_(operation), page_(std::move(page)) {}
  const std::string& after() const { return page_.after; }
  // False when the page is full: the item belongs to the next one.
  bool Take(const std::string& key) {
    if (taken_ == page_.size) {
      next_token_ = MakeToken(operation_, last_);
      return false;
    }
    ++taken_;
    last_ = key;
    return true;
  }
  template <typename Response>
  void SetNextToken(Response* response) const {
    if (!next_token_.empty()) response->set_next_token(next_token_);
  }

 private:
  const std::string operation_;
  const Page page_;
  size_t taken_ = 0;
  std::string last_;
  std::string next_token_;
};

struct TaskFilter {
  const Instance* instance = nullptr;
  bool is_for_running = true;
  const v1::ListTasksRequest* request = nullptr;

  bool Matches(const Task& task) const {
    const v1::Task& shown = task.record.task();
    if ((shown.desired_status() == "RUNNING") != is_for_running) return false;
    if (instance != nullptr && task.instance != instance) return false;
    if (request->has_started_by() && shown.started_by() != request->started_by()) return false;
    if (request->has_launch_type() && shown.launch_type() != request->launch_type()) return false;
    return !request->has_family() || absl::StrContains(shown.task_definition_arn(),
                                                       absl::StrCat("/", request->family(), ":"));
  }
};

absl::Status CheckTaskFilters(const v1::ListTasksRequest& request) {
  RETURN_IF_ERROR(
      CheckOneOf("desiredStatus", request.desired_status(), {"RUNNING", "PENDING", "STOPPED"}));
  RETURN_IF_ERROR(CheckOneOf("launchType", request.launch_type(), {"EC2", "FARGATE", "EXTERNAL"}));
  if (request.has_service_name()) return EcsError("ServiceNotFoundException", "Service not found.");
  if (request.has_started_by() && (request.has_container_instance() || request.has_family())) {
    return InvalidParameter("startedBy: must be the only filter besides cluster.");
  }
  return absl::OkStatus();
}

bool HasStatus(const Family& family, absl::string_view status) {
  return std::any_of(family.revisions.begin(), family.revisions.end(), [status](const auto& entry) {
    return entry.second->record.task_definition().status() == status;
  });
}

}  // namespace

absl::StatusOr<v1::ListClustersResponse> Read(const State& state,
                                              const v1::ListClustersRequest& request) {
  ASSIGN_OR_RETURN(Page page, PageOf(request, "ListClusters"));
  PageFiller filler("ListClusters", std::move(page));
  v1::ListClustersResponse response;
  for (auto entry = state.clusters().upper_bound(filler.after()); entry != state.clusters().end();
       ++entry) {
    const v1::Cluster& cluster = entry->second.record.cluster();
    if (cluster.status() != "ACTIVE") continue;
    if (!filler.Take(entry->first)) break;
    response.add_cluster_arns(cluster.cluster_arn());
  }
  filler.SetNextToken(&response);
  return response;
}

absl::StatusOr<v1::ListTaskDefinitionsResponse> Read(
    const State& state, const v1::ListTaskDefinitionsRequest& request) {
  RETURN_IF_ERROR(
      CheckOneOf("status", request.status(), {"ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"}));
  RETURN_IF_ERROR(CheckOneOf("sort", request.sort(), {"ASC", "DESC"}));
  ASSIGN_OR_RETURN(Page page, PageOf(request, "ListTaskDefinitions"));
  const std::string status = request.has_status() ? request.status() : "ACTIVE";
  std::vector<std::pair<std::string, const v1::TaskDefinition*>> found;  // sorted by key
  for (const auto& [name, family] : state.families()) {
    if (request.has_family_prefix() && name != request.family_prefix()) continue;
    for (const auto& [number, revision] : family.revisions) {
      const v1::TaskDefinition& definition = revision->record.task_definition();
      if (definition.status() != status) continue;
      found.emplace_back(absl::StrFormat("%s:%010d", name, number), &definition);
    }
  }
  const bool is_descending = request.sort() == "DESC";
  if (is_descending) std::reverse(found.begin(), found.end());
  PageFiller filler("ListTaskDefinitions", std::move(page));
  v1::ListTaskDefinitionsResponse response;
  for (const auto& [key, definition] : found) {
    const bool is_before = is_descending ? key >= filler.after() : key <= filler.after();
    if (!filler.after().empty() && is_before) continue;
    if (!filler.Take(key)) break;
    response.add_task_definition_arns(definition->task_definition_arn());
  }
  filler.SetNextToken(&response);
  return response;
}

absl::StatusOr<v1::ListTaskDefinitionFamiliesResponse> Read(
    const State& state, const v1::ListTaskDefinitionFamiliesRequest& request) {
  RETURN_IF_ERROR(CheckOneOf("status", request.status(), {"ACTIVE", "INACTIVE", "ALL"}));
  ASSIGN_OR_RETURN(Page page, PageOf(request, "ListTaskDefinitionFamilies"));
  PageFiller filler("ListTaskDefinitionFamilies", std::move(page));
  v1::ListTaskDefinitionFamiliesResponse response;
  for (auto entry = state.families().upper_bound(filler.after()); entry != state.families().end();
       ++entry) {
    if (!absl::StartsWith(entry->first, request.family_prefix())) continue;
    // INACTIVE: families without any ACTIVE revision.
    const bool is_active = HasStatus(entry->second, "ACTIVE");
    if (request.status() == "INACTIVE" ? is_active : request.status() != "ALL" && !is_active)
      continue;
    if (!filler.Take(entry->first)) break;
    response.add_families(entry->first);
  }
  filler.SetNextToken(&response);
  return response;
}

absl::StatusOr<v1::ListTasksResponse> Read(const State& state,
                                           const v1::ListTasksRequest& request) {
  ASSIGN_OR_RETURN(const Cluster* cluster, GetCluster(state, request.cluster()));
  RETURN_IF_ERROR(CheckTaskFilters(request));
  ASSIGN_OR_RETURN(Page page, PageOf(request, "ListTasks"));
  TaskFilter filter{nullptr, request.desired_status() != "STOPPED", &request};
  if (request.has_container_instance()) {
    filter.instance = FindInstance(*cluster, request.container_instance());
    if (filter.instance == nullptr)
      return InvalidParameter("containerInstance: Container instance not found.");
  }
  v1::ListTasksResponse response;
  // No task has a desired status of PENDING, in ECS neither.
  if (request.desired_status() == "PENDING") return response;
  PageFiller filler("ListTasks", std::move(page));
  for (auto entry = cluster->tasks.upper_bound(filler.after()); entry != cluster->tasks.end();
       ++entry) {
    if (!filter.Matches(*entry->second)) continue;
    if (!filler.Take(entry->first)) break;
    response.add_task_arns(entry->second->arn());
  }
  filler.SetNextToken(&response);
  return response;
}

absl::StatusOr<v1::ListContainerInstancesResponse> Read(
    const State& state, const v1::ListContainerInstancesRequest& request) {
  ASSIGN_OR_RETURN(const Cluster* cluster, GetCluster(state, request.cluster()));
  RETURN_IF_ERROR(
      CheckOneOf("status", request.status(),
                 {"ACTIVE", "DRAINING", "REGISTERING", "DEREGISTERING", "REGISTRATION_FAILED"}));
  if (request.has_filter()) {
    return EcsError("UnsupportedFeatureException",
                    "filter: the cluster query language is not supported.");
  }
  ASSIGN_OR_RETURN(Page page, PageOf(request, "ListContainerInstances"));
  PageFiller filler("ListContainerInstances", std::move(page));
  v1::ListContainerInstancesResponse response;
  for (auto entry = cluster->instances.upper_bound(filler.after());
       entry != cluster->instances.end(); ++entry) {
    const v1::ContainerInstance& instance = entry->second->record.instance();
    if (request.has_status() && instance.status() != request.status()) continue;
    if (!filler.Take(entry->first)) break;
    response.add_container_instance_arns(instance.container_instance_arn());
  }
  filler.SetNextToken(&response);
  return response;
}

}  // namespace davit::cluster
