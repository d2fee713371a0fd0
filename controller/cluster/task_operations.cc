// Tasks: run and stop.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/status.h"
#include "controller/cluster/describe.h"
#include "controller/cluster/ecs_error.h"
#include "controller/cluster/model.h"
#include "controller/cluster/run_task_rules.h"

namespace davit::cluster {
namespace {

// What the two calls with one client token must have in common.
std::string Fingerprint(v1::RunTaskRequest request) {
  request.clear_client_token();
  return request.SerializeAsString();
}

std::string CpuText(const v1::ContainerDefinition& container,
                    const v1::ContainerOverride* replaced) {
  return absl::StrCat(replaced != nullptr && replaced->has_cpu() ? replaced->cpu()
                                                                 : container.cpu());
}

v1::Container MakeContainer(const v1::ContainerDefinition& definition,
                            const v1::ContainerOverride* replaced) {
  v1::Container container;
  container.set_name(definition.name());
  container.set_image(definition.image());
  container.set_last_status("PENDING");
  container.set_health_status("UNKNOWN");
  container.set_cpu(CpuText(definition, replaced));
  if (replaced != nullptr && replaced->has_memory()) {
    container.set_memory(absl::StrCat(replaced->memory()));
  } else if (definition.has_memory()) {
    container.set_memory(absl::StrCat(definition.memory()));
  }
  if (replaced != nullptr && replaced->has_memory_reservation()) {
    container.set_memory_reservation(absl::StrCat(replaced->memory_reservation()));
  } else if (definition.has_memory_reservation()) {
    container.set_memory_reservation(absl::StrCat(definition.memory_reservation()));
  }
  return container;
}

// Gives a container as many GPUs as it asks for, the first of `free`, which placement has counted.
void TakeGpus(const v1::ContainerDefinition& definition, const v1::ContainerOverride* replaced,
              std::vector<std::string>* free, v1::Container* container) {
  const auto end = free->begin() + GpusOf(definition, *replaced);
  container->mutable_gpu_ids()->Assign(free->begin(), end);
  free->erase(free->begin(), end);
}

// The override of a container; one without members is added where the request had none, as ECS
// shows it.
v1::ContainerOverride* OverrideOf(const std::string& name, v1::TaskOverride* overrides) {
  for (v1::ContainerOverride& replaced : *overrides->mutable_container_overrides()) {
    if (replaced.name() == name) return &replaced;
  }
  v1::ContainerOverride* added = overrides->add_container_overrides();
  added->set_name(name);
  return added;
}

void AddTags(const v1::RunTaskRequest& request, const Cluster& cluster, const Revision& revision,
             v1::Task* task) {
  *task->mutable_tags() = request.tags();
  if (request.propagate_tags() == "TASK_DEFINITION")
    task->mutable_tags()->MergeFrom(revision.record.tags());
  if (!request.enable_ecs_managed_tags()) return;
  v1::Tag* tag = task->add_tags();
  tag->set_key("aws:ecs:clusterName");
  tag->set_value(cluster.record.cluster().cluster_name());
}

std::shared_ptr<v1::RunTaskResponse> AnswerAgain(const std::vector<Task*>& tasks) {
  auto response = std::make_shared<v1::RunTaskResponse>();
  for (const Task* task : tasks) *response->add_tasks() = DescribeTask(*task);
  return response;
}

}  // namespace

v1::StoredTask Model::MakeTask(const v1::RunTaskRequest& request, const Cluster& cluster,
                               const Revision& revision, const Instance& instance) const {
  const v1::TaskDefinition& definition = revision.record.task_definition();
  const std::string& cluster_name = cluster.record.cluster().cluster_name();
  const std::string id = options_.new_id();
  v1::StoredTask record;
  record.set_cluster(cluster_name);
  record.set_assignment_version(1);
  record.set_client_token(request.client_token());
  if (request.has_client_token()) record.set_request_fingerprint(Fingerprint(request));

  v1::Task* task = record.mutable_task();
  task->set_task_arn(MakeArn(options_.place, absl::StrCat("task/", cluster_name, "/", id)));
  task->set_cluster_arn(cluster.record.cluster().cluster_arn());
  task->set_container_instance_arn(instance.arn());
  task->set_task_definition_arn(definition.task_definition_arn());
  task->set_created_at(ToEpochSeconds(now_.wall));
  task->set_desired_status("RUNNING");
  task->set_last_status("PROVISIONING");
  task->set_health_status("UNKNOWN");
  task->set_launch_type("EC2");
  task->set_enable_execute_command(false);
  task->set_version(1);
  task->set_group(request.has_group() ? request.group()
                                      : absl::StrCat("family:", definition.family()));
  if (request.has_started_by()) task->set_started_by(request.started_by());
  AddTags(request, cluster, revision, task);
  *task->mutable_overrides() = NormalizedOverrides(request.overrides());
  std::vector<std::string> free_gpus = instance.host.FreeGpus();
  for (const v1::ContainerDefinition& container : definition.container_definitions()) {
    const v1::ContainerOverride* replaced = OverrideOf(container.name(), task->mutable_overrides());
    v1::Container* out = task->add_containers();
    *out = MakeContainer(container, replaced);
    TakeGpus(container, replaced, &free_gpus, out);
    out->set_task_arn(task->task_arn());
    out->set_container_arn(MakeArn(
        options_.place, absl::StrCat("container/", cluster_name, "/", id, "/", options_.new_id())));
  }
  for (const v1::Attribute& attribute : instance.record.instance().attributes()) {
    if (attribute.name() == "ecs.cpu-architecture") *task->add_attributes() = attribute;
    if (attribute.name() == "ecs.availability-zone") task->set_availability_zone(attribute.value());
  }
  const Reservation needs = ReservationOf(definition, task->overrides());
  task->set_cpu(absl::StrCat(needs.cpu_units));
  task->set_memory(absl::StrCat(needs.memory_mib));
  return record;
}

Model::Result Model::On(const v1::RunTaskRequest& request) {
  ASSIGN_OR_RETURN(const Cluster* cluster, GetCluster(state_, request.cluster()));
  const std::string& cluster_name = cluster->record.cluster().cluster_name();
  if (request.has_client_token()) {
    const std::vector<Task*> made = state_.FindTasksByToken(cluster_name, request.client_token());
    if (!made.empty()) {
      if (made.front()->record.request_fingerprint() == Fingerprint(request))
        return AnswerAgain(made);
      return EcsError(
          "ConflictException",
          absl::StrCat("clientToken: was used with other parameters, for ", made.front()->arn()));
    }
  }
  ASSIGN_OR_RETURN(const Revision* revision, FindRunnable(state_, request.task_definition()));
  RETURN_IF_ERROR(CheckRunTask(request, revision->record.task_definition()));
  if (cluster->instances.empty())
    return InvalidParameter("No Container Instances were found in your cluster.");

  capacity::PlacementRequest question;
  question.count = request.has_count() ? request.count() : 1;
  question.needs =
      ReservationOf(revision->record.task_definition(), NormalizedOverrides(request.overrides()));
  for (const v1::Attribute& attribute : revision->record.task_definition().requires_attributes()) {
    question.required_attributes.push_back(attribute.name());
  }
  const capacity::PlacementAnswer answer = options_.place_tasks(cluster->hosts, question);
  auto response = std::make_shared<v1::RunTaskResponse>();
  for (const size_t index : answer.chosen) {
    Task* task =
        state_.PutTask(MakeTask(request, *cluster, *revision, *cluster->host_owners[index]));
    SendAssignment(task);
    *response->add_tasks() = DescribeTask(*task);
  }
  for (const v1::Failure& failure : answer.failures) *response->add_failures() = failure;
  return response;
}

Model::Result Model::On(const v1::StopTaskRequest& request) {
  ASSIGN_OR_RETURN(const Cluster* cluster, GetCluster(state_, request.cluster()));
  if (request.reason().size() > 1024) return InvalidParameter("reason: at most 1024 characters.");
  Task* task = FindTask(*cluster, request.task());
  if (task == nullptr) return InvalidParameter("The referenced task was not found.");
  if (task->record.task().desired_status() != "STOPPED") {
    v1::StoredTask record = task->record;
    record.set_assignment_version(record.assignment_version() + 1);
    record.mutable_task()->set_version(record.task().version() + 1);
    record.mutable_task()->set_desired_status("STOPPED");
    record.mutable_task()->set_stop_code("UserInitiated");
    record.mutable_task()->set_stopped_reason(request.reason().empty() ? "Task stopped by user"
                                                                       : request.reason());
    task = state_.PutTask(std::move(record));
    SendAssignment(task);
  }
  auto response = std::make_shared<v1::StopTaskResponse>();
  *response->mutable_task() = DescribeTask(*task);
  return response;
}

}  // namespace davit::cluster
