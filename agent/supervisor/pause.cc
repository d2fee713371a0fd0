#include "agent/supervisor/pause.h"

#include "agent/spec/pause.h"
#include "agent/task/container_id.h"
#include "base/status.h"

namespace davit::supervisor {

std::string PauseIdOf(const std::string& task_id) {
  return task::ContainerIdOf(task_id, kPauseContainer);
}

absl::Status StartPause(runtime::Runtime* runtime, const PausePlace& place) {
  runtime::ContainerSpec spec;
  spec.id = PauseIdOf(place.task_id);
  spec.lease = place.lease;
  spec.labels = place.labels;
  spec.labels["davit.container-name"] = kPauseContainer;
  spec.oci_spec_json = place.oci_spec_json;
  // An earlier pause container that has ended can be reset: no container starts before this one.
  const absl::Status cleared = runtime->Reset(spec.id);
  if (absl::IsFailedPrecondition(cleared)) return absl::OkStatus();  // it runs
  RETURN_IF_ERROR(cleared);
  RETURN_IF_ERROR(runtime->PrepareRootfs(spec.id, spec.lease, "").status());
  RETURN_IF_ERROR(runtime->Create(spec));
  return OkIfAlreadyExists(runtime->Start(spec.id).status());
}

absl::StatusOr<int> FindPausePid(runtime::Runtime* runtime, const std::string& task_id) {
  const absl::StatusOr<runtime::ContainerInfo> info = runtime->Inspect(PauseIdOf(task_id));
  if (!info.ok() && !absl::IsNotFound(info.status())) return info.status();
  if (!info.ok() || info->state != runtime::ContainerState::kRunning) {
    return absl::FailedPreconditionError(
        "the process that held the task's shared namespaces (pidMode, ipcMode) has ended");
  }
  return info->pid;
}

}  // namespace davit::supervisor
