#include "controller/agents/merge.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace davit::controller::agents {
namespace {

constexpr size_t kMaxReason = 1024;

void MergeContainer(const v1::ContainerState& seen, v1::StoredContainer* container) {
  // A restart policy takes a container from STOPPED to RUNNING again: only the task's own status
  // never goes back.
  const bool is_later = seen.last_status() > container->last_status() || seen.restart_count() > 0;
  if (is_later && v1::ContainerStatus::Value_IsValid(seen.last_status()))
    container->set_last_status(seen.last_status());
  if (!seen.runtime_id().empty()) container->set_runtime_id(seen.runtime_id());
  if (!seen.image_digest().empty()) container->set_image_digest(seen.image_digest());
  if (seen.has_exit_code()) container->set_exit_code(seen.exit_code());
  if (!seen.reason().empty()) container->set_reason(Shorten(seen.reason(), kMaxReason));
  v1::HealthStatus::Value health = v1::HealthStatus::UNKNOWN;
  if (v1::HealthStatus::Value_Parse(seen.health_status(), &health))
    container->set_health_status(health);
  if (!seen.network_bindings().empty())
    *container->mutable_network_bindings() = seen.network_bindings();
}

int64_t Milliseconds(double seconds) {
  // Whatever an agent says, a time stays one that can be shown.
  constexpr double kMax = 253402300800;  // the year 10000
  return seconds > 0 && seconds < kMax ? std::llround(seconds * 1000) : 0;
}

void MergeTimes(const v1::TaskState& seen, v1::StoredTask* task) {
  if (seen.has_pull_started_at()) task->set_pull_started_at(Milliseconds(seen.pull_started_at()));
  if (seen.has_pull_stopped_at()) task->set_pull_stopped_at(Milliseconds(seen.pull_stopped_at()));
  if (seen.has_started_at()) task->set_started_at(Milliseconds(seen.started_at()));
  if (seen.has_stopping_at()) task->set_stopping_at(Milliseconds(seen.stopping_at()));
  if (seen.has_execution_stopped_at())
    task->set_execution_stopped_at(Milliseconds(seen.execution_stopped_at()));
  if (seen.has_stopped_at()) task->set_stopped_at(Milliseconds(seen.stopped_at()));
}

// The agent's account of why it stopped counts: the task may have ended by itself before a StopTask
// reached it.
void MergeStop(const v1::TaskState& seen, int64_t now, v1::StoredTask* task) {
  task->set_desired_status(v1::TaskStatus::STOPPED);
  if (!seen.stopped_reason().empty())
    task->set_stopped_reason(Shorten(seen.stopped_reason(), kMaxReason));
  if (seen.stop_code() != v1::StopCode::UNSPECIFIED &&
      v1::StopCode::Value_IsValid(seen.stop_code())) {
    task->set_stop_code(seen.stop_code());
  }
  if (task->stopped_at() == 0) task->set_stopped_at(now);
  if (task->execution_stopped_at() == 0) task->set_execution_stopped_at(task->stopped_at());
  if (task->stopping_at() == 0) task->set_stopping_at(task->execution_stopped_at());
  for (v1::StoredContainer& container : *task->mutable_containers())
    container.set_last_status(v1::ContainerStatus::STOPPED);
  if (task->stopped_noted_at() == 0) task->set_stopped_noted_at(now);
}

}  // namespace

v1::StoredTask Merge(v1::StoredTask record, const v1::TaskState& seen, int64_t now) {
  record.set_sequence(seen.sequence());
  record.set_waiting_reason(Shorten(seen.waiting_reason(), kMaxReason));
  if (seen.last_status() > record.last_status() &&
      v1::TaskStatus::Value_IsValid(seen.last_status())) {
    record.set_last_status(seen.last_status());
  }
  record.set_version(record.version() + 1);
  if (record.connectivity_at() == 0) record.set_connectivity_at(now);
  for (const v1::ContainerState& container_seen : seen.containers()) {
    for (v1::StoredContainer& container : *record.mutable_containers()) {
      if (container.name() == container_seen.name()) MergeContainer(container_seen, &container);
    }
  }
  MergeTimes(seen, &record);
  if (record.last_status() == v1::TaskStatus::STOPPED) MergeStop(seen, now, &record);
  return record;
}

bool MustBeDurable(const v1::StoredTask& before, const v1::StoredTask& after) {
  if (after.last_status() != before.last_status() &&
      after.last_status() >= v1::TaskStatus::RUNNING) {
    return true;
  }
  for (int i = 0; i < after.containers_size() && i < before.containers_size(); ++i) {
    const v1::StoredContainer& old = before.containers(i);
    const v1::StoredContainer& now = after.containers(i);
    if (now.last_status() != old.last_status() || now.has_exit_code() != old.has_exit_code() ||
        now.exit_code() != old.exit_code()) {
      return true;
    }
  }
  return false;
}

}  // namespace davit::controller::agents
