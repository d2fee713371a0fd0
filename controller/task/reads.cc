#include "controller/task/reads.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "controller/ecs/ecs_error.h"
#include "controller/ecs/paging.h"
#include "controller/ecs/requests.h"
#include "controller/state/lookup.h"
#include "controller/task/render.h"

namespace davit::controller::task {
namespace {

using state::State;

// How many tasks one look at the state may pass by: some 100 microseconds.
constexpr int kTasksPerLook = 2000;

absl::Status CheckFilters(const v1::ListTasksRequest& request) {
  RETURN_IF_ERROR(ecs::CheckOneOf("desiredStatus", request.desired_status(),
                                  {"RUNNING", "PENDING", "STOPPED"}));
  RETURN_IF_ERROR(
      ecs::CheckOneOf("launchType", request.launch_type(), {"EC2", "FARGATE", "EXTERNAL"}));
  if (request.has_service_name())
    return ecs::EcsError("ServiceNotFoundException", "Service not found.");
  if (request.has_started_by() && (request.has_container_instance() || request.has_family())) {
    return ecs::InvalidParameter("startedBy: must be the only filter besides cluster.");
  }
  return absl::OkStatus();
}

bool Matches(const v1::ListTasksRequest& request, const v1::StoredTask& task) {
  const bool is_for_stopped = request.desired_status() == "STOPPED";
  if ((task.desired_status() == v1::TaskStatus::STOPPED) != is_for_stopped) return false;
  if (request.has_started_by() && task.started_by() != request.started_by()) return false;
  if (request.has_launch_type() && request.launch_type() != "EC2") return false;
  return !request.has_family() || task.family() == request.family();
}

// Fills a page of task ids from a table that is sorted by id, a part of it at each look.
class Listing {
 public:
  Listing(const v1::ListTasksRequest& request, ecs::Page page)
      : request_(request), filler_("ListTasks", page), next_after_(page.after) {}

  // False: there is nothing more to do.
  absl::StatusOr<bool> Look(const State& state) {
    ASSIGN_OR_RETURN(const state::Cluster* cluster, state::GetCluster(state, request_.cluster()));
    if (!request_.has_container_instance()) return Scan(cluster->tasks);
    const state::Instance* instance = state::FindInstance(*cluster, request_.container_instance());
    if (instance == nullptr)
      return ecs::InvalidParameter("containerInstance: Container instance not found.");
    return Scan(instance->tasks);
  }
  v1::ListTasksResponse Render(const state::Place& place) const {
    v1::ListTasksResponse response;
    const std::string cluster = state::ClusterName(request_.cluster());
    for (const std::string& id : ids_) response.add_task_arns(state::TaskArn(place, cluster, id));
    filler_.SetNextToken(&response);
    return response;
  }

 private:
  template <typename Table>
  bool Scan(const Table& tasks) {
    int passed = 0;
    for (auto entry = tasks.upper_bound(next_after_); entry != tasks.end(); ++entry) {
      if (++passed > kTasksPerLook) return true;
      next_after_ = entry->first;
      if (!Matches(request_, *entry->second->record)) continue;
      if (!filler_.Take(entry->first)) return false;
      ids_.push_back(entry->first);
    }
    return false;
  }

  const v1::ListTasksRequest& request_;
  ecs::PageFiller filler_;
  std::string next_after_;
  std::vector<std::string> ids_;
};

}  // namespace

absl::StatusOr<v1::DescribeTasksResponse> Read(const v1::DescribeTasksRequest& request,
                                               const state::View& view) {
  std::vector<std::optional<TaskView>> found;
  absl::Status status;
  view.Look([&](const State& state) {
    const auto cluster = state::GetCluster(state, request.cluster());
    status = cluster.status();
    if (!status.ok()) return;
    status = ecs::CheckBatch(request.tasks_size(), "tasks");
    if (!status.ok()) return;
    for (const std::string& name : request.tasks()) {
      const state::Task* task = state::FindTask(**cluster, name);
      found.push_back(task == nullptr ? std::nullopt : std::optional(ViewOf(*task)));
    }
  });
  RETURN_IF_ERROR(status);
  v1::DescribeTasksResponse response;
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) {
      ecs::AddMissing(state::NamedArn(view.place(),
                                      absl::StrCat("task/", state::ClusterName(request.cluster())),
                                      request.tasks(static_cast<int>(i))),
                      &response);
      continue;
    }
    v1::Task* out = response.add_tasks();
    *out = Render(view.place(), *found[i]);
    if (!ecs::Contains(request.include(), "TAGS")) out->clear_tags();
  }
  return response;
}

absl::StatusOr<v1::ListTasksResponse> Read(const v1::ListTasksRequest& request,
                                           const state::View& view) {
  RETURN_IF_ERROR(CheckFilters(request));
  ASSIGN_OR_RETURN(ecs::Page page, ecs::PageOf(request, "ListTasks"));
  Listing listing(request, std::move(page));
  absl::StatusOr<bool> has_more = true;
  while (has_more.ok() && *has_more) {
    view.Look([&](const State& state) { has_more = listing.Look(state); });
    // No task has a desired status of PENDING, in ECS neither.
    if (has_more.ok() && request.desired_status() == "PENDING") return v1::ListTasksResponse();
  }
  RETURN_IF_ERROR(has_more.status());
  return listing.Render(view.place());
}

}  // namespace davit::controller::task
