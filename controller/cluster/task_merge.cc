#include "controller/cluster/task_merge.h"

#include <algorithm>

#include "base/definition/container_checks.h"

namespace davit::cluster {
namespace {

void MergeContainer(const v1::ContainerState& seen, v1::Container* container) {
  v1::ContainerStatus::Value before = v1::ContainerStatus::UNSPECIFIED;
  v1::ContainerStatus::Value_Parse(container->last_status(), &before);
  // A restart policy takes a container from STOPPED to RUNNING again: only the task's own status
  // never goes back.
  if (seen.last_status() > before || seen.restart_count() > 0) {
    container->set_last_status(v1::ContainerStatus::Value_Name(seen.last_status()));
  }
  if (!seen.runtime_id().empty()) container->set_runtime_id(seen.runtime_id());
  if (!seen.image_digest().empty()) container->set_image_digest(seen.image_digest());
  if (seen.has_exit_code()) container->set_exit_code(seen.exit_code());
  if (!seen.reason().empty()) container->set_reason(seen.reason());
  if (!seen.health_status().empty()) container->set_health_status(seen.health_status());
  if (!seen.network_bindings().empty())
    *container->mutable_network_bindings() = seen.network_bindings();
}

// By ECS's rule (HealthCheck in its API reference), which looks at essential containers with a
// check only: UNHEALTHY if one of them is, HEALTHY if all are, else, or if there is none, UNKNOWN.
std::string TaskHealth(const v1::Task& task, const v1::TaskDefinition& definition) {
  bool has_checked = false;
  bool are_all_healthy = true;
  for (const v1::ContainerDefinition& checked : definition.container_definitions()) {
    if (!checked.essential() || (!HasHealthCheck(checked) && !HasReadinessCheck(checked))) continue;
    has_checked = true;
    for (const v1::Container& container : task.containers()) {
      if (container.name() != checked.name()) continue;
      if (container.health_status() == "UNHEALTHY") return "UNHEALTHY";
      are_all_healthy = are_all_healthy && container.health_status() == "HEALTHY";
    }
  }
  return has_checked && are_all_healthy ? "HEALTHY" : "UNKNOWN";
}

void MergeTimes(const v1::TaskState& seen, v1::Task* task) {
  if (seen.has_pull_started_at()) task->set_pull_started_at(seen.pull_started_at());
  if (seen.has_pull_stopped_at()) task->set_pull_stopped_at(seen.pull_stopped_at());
  if (seen.has_started_at()) task->set_started_at(seen.started_at());
  if (seen.has_stopping_at()) task->set_stopping_at(seen.stopping_at());
  if (seen.has_execution_stopped_at()) task->set_execution_stopped_at(seen.execution_stopped_at());
  if (seen.has_stopped_at()) task->set_stopped_at(seen.stopped_at());
}

// The agent's account of why it stopped counts: the task may have ended by itself before a StopTask
// reached it.
void MergeStop(const v1::TaskState& seen, double now, v1::Task* task) {
  task->set_desired_status("STOPPED");
  if (!seen.stopped_reason().empty()) task->set_stopped_reason(seen.stopped_reason());
  if (seen.stop_code() != v1::StopCode::UNSPECIFIED)
    task->set_stop_code(v1::StopCode::Value_Name(seen.stop_code()));
  if (!task->has_stopped_at()) task->set_stopped_at(now);
  if (!task->has_execution_stopped_at()) task->set_execution_stopped_at(task->stopped_at());
  if (!task->has_stopping_at()) task->set_stopping_at(task->execution_stopped_at());
  for (v1::Container& container : *task->mutable_containers()) container.set_last_status("STOPPED");
}

}  // namespace

v1::StoredTask Merge(v1::StoredTask record, const v1::TaskState& seen, const Revision* revision,
                     double now) {
  record.set_sequence(seen.sequence());
  record.set_waiting_reason(seen.waiting_reason());
  v1::Task* task = record.mutable_task();
  v1::TaskStatus::Value before = v1::TaskStatus::UNSPECIFIED;
  v1::TaskStatus::Value_Parse(task->last_status(), &before);
  const v1::TaskStatus::Value after = std::max(before, seen.last_status());
  task->set_last_status(v1::TaskStatus::Value_Name(after));
  task->set_version(task->version() + 1);
  if (!task->has_connectivity_at()) {
    task->set_connectivity("CONNECTED");
    task->set_connectivity_at(now);
  }
  for (const v1::ContainerState& container_seen : seen.containers()) {
    for (v1::Container& container : *task->mutable_containers()) {
      if (container.name() == container_seen.name()) MergeContainer(container_seen, &container);
    }
  }
  MergeTimes(seen, task);
  if (after == v1::TaskStatus::STOPPED) {
    MergeStop(seen, now, task);
    if (!record.has_stopped_noted_at()) record.set_stopped_noted_at(now);
  }
  if (revision != nullptr)
    task->set_health_status(TaskHealth(*task, revision->record.task_definition()));
  return record;
}

}  // namespace davit::cluster
