#include "controller/schedule/schedule.h"

#include <algorithm>

#include "base/definition/overrides.h"
#include "base/definition/reservation.h"
#include "controller/placement/placement.h"

namespace davit::controller::schedule {
namespace {

std::string AttributeOf(const state::Instance& instance, const std::string& name) {
  const auto& attributes = instance.host.traits->attributes;
  const auto found = attributes.find(name);
  return found == attributes.end() ? "" : found->second;
}

// Gives a container as many GPUs as it asks for, the first of `free`, which placement has counted.
void TakeGpus(int count, std::vector<std::string>* free, v1::StoredContainer* container) {
  container->mutable_gpu_ids()->Assign(free->begin(), free->begin() + count);
  free->erase(free->begin(), free->begin() + count);
}

v1::StoredTask NewTask(const TaskSpec& spec, const state::Instance& instance,
                       const change::Change& change) {
  const v1::TaskDefinition& definition = spec.revision->record->content();
  v1::StoredTask task;
  task.set_cluster(spec.cluster->record->name());
  task.set_id(change.NewId());
  task.set_instance_id(instance.record->id());
  task.set_family(definition.family());
  task.set_revision(definition.revision());
  task.set_last_status(v1::TaskStatus::PROVISIONING);
  task.set_desired_status(v1::TaskStatus::RUNNING);
  task.set_version(1);
  task.set_assignment_version(1);
  task.set_group(spec.group);
  task.set_started_by(spec.started_by);
  *task.mutable_overrides() = spec.overrides;
  *task.mutable_tags() = spec.tags;
  task.set_client_token(spec.client_token);
  task.set_request_digest(spec.request_digest);
  task.set_availability_zone(AttributeOf(instance, "ecs.availability-zone"));
  task.set_cpu_architecture(AttributeOf(instance, "ecs.cpu-architecture"));
  task.set_created_at(change.now_ms());
  std::vector<std::string> free_gpus = instance.host.FreeGpus();
  for (const v1::ContainerDefinition& wanted : definition.container_definitions()) {
    v1::StoredContainer* container = task.add_containers();
    container->set_name(wanted.name());
    container->set_id(change.NewId());
    container->set_last_status(v1::ContainerStatus::PENDING);
    TakeGpus(GpusOf(wanted, OverrideOf(spec.overrides, wanted.name())), &free_gpus, container);
  }
  return task;
}

placement::Request RequestOf(const TaskSpec& spec, const Reservation* needs) {
  placement::Request request{needs};
  for (const v1::Attribute& attribute : spec.revision->record->content().requires_attributes()) {
    request.required_attributes.push_back(attribute.name());
  }
  return request;
}

}  // namespace

Scheduled Schedule(const TaskSpec& spec, int count, change::Change* change) {
  const Reservation needs = ReservationOf(spec.revision->record->content(), spec.overrides);
  const placement::Request request = RequestOf(spec, &needs);
  Scheduled scheduled;
  while (scheduled.tasks.size() < static_cast<size_t>(count)) {
    const capacity::Host* host = placement::Choose(spec.cluster->hosts, request);
    if (host == nullptr) break;
    const state::Instance* instance = change->state().FindInstanceByArn(host->arn);
    v1::StoredTask task = NewTask(spec, *instance, *change);
    const std::string id = task.id();
    change->Put(std::move(task));
    scheduled.tasks.push_back(spec.cluster->tasks.find(id)->second.get());
  }
  if (scheduled.tasks.size() == static_cast<size_t>(count)) return scheduled;
  for (const auto& [id, instance] : spec.cluster->instances) {
    if (scheduled.failures.size() == kMaxFailures) break;
    if (auto failure = placement::WhyNot(instance->host, request))
      scheduled.failures.push_back(*std::move(failure));
  }
  return scheduled;
}

}  // namespace davit::controller::schedule
