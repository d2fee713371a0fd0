#include "controller/task/operations.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/sha256.h"
#include "base/status.h"
#include "controller/ecs/ecs_error.h"
#include "controller/schedule/schedule.h"
#include "controller/state/lookup.h"
#include "controller/task/render.h"
#include "controller/task/rules.h"

namespace davit::controller::task {
namespace {

constexpr size_t kMaxReason = 1024;

// Of what two requests with one client token must have in common.
std::string DigestOf(v1::RunTaskRequest request) {
  request.clear_client_token();
  return Sha256(request.SerializeAsString());
}

google::protobuf::RepeatedPtrField<v1::Tag> TagsOf(const v1::RunTaskRequest& request,
                                                   const state::Cluster& cluster,
                                                   const state::Revision& revision) {
  google::protobuf::RepeatedPtrField<v1::Tag> tags = request.tags();
  if (request.propagate_tags() == "TASK_DEFINITION") tags.MergeFrom(revision.record->tags());
  if (!request.enable_ecs_managed_tags()) return tags;
  v1::Tag* tag = tags.Add();
  tag->set_key("aws:ecs:clusterName");
  tag->set_value(cluster.record->name());
  return tags;
}

schedule::TaskSpec SpecOf(const v1::RunTaskRequest& request, const state::Cluster& cluster,
                          const state::Revision& revision) {
  schedule::TaskSpec spec;
  spec.cluster = &cluster;
  spec.revision = &revision;
  spec.overrides = NormalizedOverrides(request.overrides());
  spec.group = request.has_group() ? request.group()
                                   : absl::StrCat("family:", revision.record->content().family());
  spec.started_by = request.started_by();
  spec.tags = TagsOf(request, cluster, revision);
  spec.client_token = request.client_token();
  if (request.has_client_token()) spec.request_digest = DigestOf(request);
  return spec;
}

v1::RunTaskResponse RenderAll(const std::vector<const state::Task*>& tasks,
                              const change::Change& change) {
  v1::RunTaskResponse response;
  for (const state::Task* task : tasks)
    *response.add_tasks() = Render(change.place(), ViewOf(*task));
  return response;
}

}  // namespace

absl::StatusOr<v1::RunTaskResponse> Apply(const v1::RunTaskRequest& request,
                                          change::Change* change) {
  const state::State& state = change->state();
  ASSIGN_OR_RETURN(const state::Cluster* cluster, state::GetCluster(state, request.cluster()));
  if (request.has_client_token()) {
    const std::vector<const state::Task*> made =
        state.FindTasksByToken(cluster->record->name(), request.client_token());
    if (!made.empty() && made.front()->record->request_digest() == DigestOf(request))
      return RenderAll(made, *change);
    if (!made.empty()) {
      return ecs::EcsError("ConflictException",
                           absl::StrCat("clientToken: was used with other parameters, for ",
                                        state::ArnOf(change->place(), *made.front()->record)));
    }
  }
  ASSIGN_OR_RETURN(const state::Revision* revision,
                   state::GetRunnable(state, request.task_definition()));
  RETURN_IF_ERROR(CheckRunTask(request, revision->record->content()));
  if (cluster->instances.empty())
    return ecs::InvalidParameter("No Container Instances were found in your cluster.");

  const schedule::Scheduled scheduled = schedule::Schedule(
      SpecOf(request, *cluster, *revision), request.has_count() ? request.count() : 1, change);
  v1::RunTaskResponse response = RenderAll(scheduled.tasks, *change);
  for (const v1::Failure& failure : scheduled.failures) *response.add_failures() = failure;
  return response;
}

absl::StatusOr<v1::StopTaskResponse> Apply(const v1::StopTaskRequest& request,
                                           change::Change* change) {
  ASSIGN_OR_RETURN(const state::Cluster* cluster,
                   state::GetCluster(change->state(), request.cluster()));
  if (request.reason().size() > kMaxReason)
    return ecs::InvalidParameter(absl::StrCat("reason: at most ", kMaxReason, " characters."));
  const state::Task* task = state::FindTask(*cluster, request.task());
  if (task == nullptr) return ecs::InvalidParameter("The referenced task was not found.");
  if (task->record->desired_status() != v1::TaskStatus::STOPPED) {
    v1::StoredTask record = *task->record;
    record.set_assignment_version(record.assignment_version() + 1);
    record.set_version(record.version() + 1);
    record.set_desired_status(v1::TaskStatus::STOPPED);
    record.set_stop_code(v1::StopCode::UserInitiated);
    record.set_stopped_reason(request.reason().empty() ? "Task stopped by user" : request.reason());
    change->Put(std::move(record));
  }
  v1::StopTaskResponse response;
  *response.mutable_task() = Render(change->place(), ViewOf(*task));
  return response;
}

}  // namespace davit::controller::task
