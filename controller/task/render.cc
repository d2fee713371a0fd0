#include "controller/task/render.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/definition/container_checks.h"
#include "base/definition/overrides.h"

namespace davit::controller::task {
namespace {

double Seconds(int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

const v1::ContainerDefinition& DefinitionOf(const v1::TaskDefinition& task,
                                            const std::string& name) {
  for (const v1::ContainerDefinition& container : task.container_definitions()) {
    if (container.name() == name) return container;
  }
  return v1::ContainerDefinition::default_instance();
}

void RenderSizes(const v1::ContainerDefinition& definition, const v1::ContainerOverride& replaced,
                 v1::Container* out) {
  out->set_cpu(absl::StrCat(replaced.has_cpu() ? replaced.cpu() : definition.cpu()));
  if (replaced.has_memory() || definition.has_memory()) {
    out->set_memory(absl::StrCat(replaced.has_memory() ? replaced.memory() : definition.memory()));
  }
  if (replaced.has_memory_reservation() || definition.has_memory_reservation()) {
    out->set_memory_reservation(absl::StrCat(replaced.has_memory_reservation()
                                                 ? replaced.memory_reservation()
                                                 : definition.memory_reservation()));
  }
}

v1::Container RenderContainer(const state::Place& place, const v1::StoredTask& task,
                              const v1::StoredContainer& record,
                              const v1::ContainerDefinition& definition) {
  v1::Container out;
  out.set_container_arn(state::ContainerArn(place, task.cluster(), task.id(), record.id()));
  out.set_task_arn(state::ArnOf(place, task));
  out.set_name(record.name());
  if (definition.has_image()) out.set_image(definition.image());
  if (!record.image_digest().empty()) out.set_image_digest(record.image_digest());
  if (!record.runtime_id().empty()) out.set_runtime_id(record.runtime_id());
  out.set_last_status(v1::ContainerStatus::Value_Name(record.last_status()));
  if (record.has_exit_code()) out.set_exit_code(record.exit_code());
  // ECS has no member for what a task waits for, be it room or a call that hangs in its stop: it is
  // shown as its containers' reason until they have one of their own.
  const bool is_waiting = task.last_status() != v1::TaskStatus::STOPPED;
  const std::string& reason =
      record.reason().empty() && is_waiting ? task.waiting_reason() : record.reason();
  if (!reason.empty()) out.set_reason(reason);
  *out.mutable_network_bindings() = record.network_bindings();
  out.set_health_status(v1::HealthStatus::Value_Name(record.health_status()));
  *out.mutable_gpu_ids() = record.gpu_ids();
  RenderSizes(definition, OverrideOf(task.overrides(), record.name()), &out);
  return out;
}

// As ECS shows them: every container has an override, if only one with its name.
void RenderOverrides(const v1::StoredTask& task, v1::Task* out) {
  *out->mutable_overrides() = task.overrides();
  for (const v1::StoredContainer& container : task.containers()) {
    if (OverrideOf(task.overrides(), container.name()).has_name()) continue;
    out->mutable_overrides()->add_container_overrides()->set_name(container.name());
  }
}

void RenderTimes(const v1::StoredTask& task, v1::Task* out) {
  out->set_created_at(Seconds(task.created_at()));
  if (task.connectivity_at() != 0) out->set_connectivity_at(Seconds(task.connectivity_at()));
  if (task.pull_started_at() != 0) out->set_pull_started_at(Seconds(task.pull_started_at()));
  if (task.pull_stopped_at() != 0) out->set_pull_stopped_at(Seconds(task.pull_stopped_at()));
  if (task.started_at() != 0) out->set_started_at(Seconds(task.started_at()));
  if (task.stopping_at() != 0) out->set_stopping_at(Seconds(task.stopping_at()));
  if (task.execution_stopped_at() != 0)
    out->set_execution_stopped_at(Seconds(task.execution_stopped_at()));
  if (task.stopped_at() != 0) out->set_stopped_at(Seconds(task.stopped_at()));
}

void RenderStatus(const TaskView& task, v1::Task* out) {
  const v1::StoredTask& record = *task.record;
  out->set_last_status(v1::TaskStatus::Value_Name(record.last_status()));
  out->set_desired_status(v1::TaskStatus::Value_Name(record.desired_status()));
  const v1::HealthStatus::Value health = task.definition == nullptr
                                             ? v1::HealthStatus::UNKNOWN
                                             : HealthOf(record, task.definition->content());
  out->set_health_status(v1::HealthStatus::Value_Name(health));
  if (task.has_instance && record.last_status() != v1::TaskStatus::STOPPED) {
    out->set_connectivity(task.is_connected ? "CONNECTED" : "DISCONNECTED");
  } else if (record.connectivity_at() != 0) {
    out->set_connectivity("CONNECTED");
  }
  if (record.stop_code() != v1::StopCode::UNSPECIFIED)
    out->set_stop_code(v1::StopCode::Value_Name(record.stop_code()));
  if (!record.stopped_reason().empty()) out->set_stopped_reason(record.stopped_reason());
}

}  // namespace

TaskView ViewOf(const state::Task& task) {
  return {task.record, task.revision == nullptr ? nullptr : task.revision->record, task.needs,
          task.instance != nullptr, task.instance != nullptr && task.instance->is_connected()};
}

v1::Task Render(const state::Place& place, const TaskView& task) {
  const v1::StoredTask& record = *task.record;
  v1::Task out;
  out.set_task_arn(state::ArnOf(place, record));
  out.set_cluster_arn(state::ClusterArn(place, record.cluster()));
  if (!record.instance_id().empty()) {
    out.set_container_instance_arn(
        state::InstanceArn(place, record.cluster(), record.instance_id()));
  }
  out.set_task_definition_arn(state::TaskDefinitionArn(place, record.family(), record.revision()));
  RenderStatus(task, &out);
  RenderTimes(record, &out);
  out.set_launch_type("EC2");
  out.set_enable_execute_command(false);
  out.set_version(record.version());
  out.set_group(record.group());
  if (!record.started_by().empty()) out.set_started_by(record.started_by());
  *out.mutable_tags() = record.tags();
  RenderOverrides(record, &out);
  if (!record.availability_zone().empty()) out.set_availability_zone(record.availability_zone());
  if (!record.cpu_architecture().empty()) {
    v1::Attribute* attribute = out.add_attributes();
    attribute->set_name("ecs.cpu-architecture");
    attribute->set_value(record.cpu_architecture());
  }
  out.set_cpu(absl::StrCat(task.needs->cpu_units));
  out.set_memory(absl::StrCat(task.needs->memory_mib));
  const v1::TaskDefinition& definition = task.definition == nullptr
                                             ? v1::TaskDefinition::default_instance()
                                             : task.definition->content();
  for (const v1::StoredContainer& container : record.containers()) {
    *out.add_containers() =
        RenderContainer(place, record, container, DefinitionOf(definition, container.name()));
  }
  return out;
}

v1::HealthStatus::Value HealthOf(const v1::StoredTask& task, const v1::TaskDefinition& definition) {
  bool has_checked = false;
  bool are_all_healthy = true;
  for (const v1::ContainerDefinition& checked : definition.container_definitions()) {
    if (!checked.essential() || (!HasHealthCheck(checked) && !HasReadinessCheck(checked))) continue;
    has_checked = true;
    for (const v1::StoredContainer& container : task.containers()) {
      if (container.name() != checked.name()) continue;
      if (container.health_status() == v1::HealthStatus::UNHEALTHY)
        return v1::HealthStatus::UNHEALTHY;
      are_all_healthy = are_all_healthy && container.health_status() == v1::HealthStatus::HEALTHY;
    }
  }
  return has_checked && are_all_healthy ? v1::HealthStatus::HEALTHY : v1::HealthStatus::UNKNOWN;
}

}  // namespace davit::controller::task
