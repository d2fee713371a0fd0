#include "agent/runtime/containerd_removal.h"

#include <csignal>

#include "agent/runtime/containerd_status.h"
#include "base/status.h"

namespace davit::runtime {

absl::Status ContainerdRemoval::AdoptOrphan(const std::string& container_id) {
  ASSIGN_OR_RETURN(const auto tasks, tasks_->List(Within(options_.call_timeout)));
  for (const containerd::TaskInfo& task : tasks) {
    if (task.container_id != container_id) continue;
    containerd::Container record;
    record.id = container_id;
    record.runtime = options_.runtime;
    record.oci_spec_json = "{}";
    return containers_->Create(record, Within(options_.call_timeout));
  }
  return absl::OkStatus();
}

absl::Status ContainerdRemoval::KillTask(const std::string& container_id) {
  const absl::Status killed =
      tasks_->Kill(container_id, SIGKILL, /*all=*/true, Within(options_.call_timeout));
  if (IsShimGone(killed)) return absl::OkStatus();
  RETURN_IF_ERROR(OkIfNotFound(killed));
  const absl::Status waited = tasks_->Wait(container_id, Within(options_.kill_timeout)).status();
  if (waited.code() == absl::StatusCode::kDeadlineExceeded) {
    return absl::DeadlineExceededError("it has not ended after SIGKILL");
  }
  if (IsShimGone(waited)) return absl::OkStatus();
  return OkIfNotFound(waited);
}

absl::Status ContainerdRemoval::DeleteTask(const std::string& container_id) {
  absl::Status status;
  // With its shim gone, the first try makes containerd forget the task, and the second finds none.
  for (int attempt = 0; attempt < 3; ++attempt) {
    status = tasks_->Delete(container_id, Within(options_.call_timeout)).status();
    if (!IsShimGone(status)) break;
  }
  return status;
}

absl::Status ContainerdRemoval::ClearTask(const std::string& container_id) {
  const absl::Status deleted = DeleteTask(container_id);
  if (deleted.code() != absl::StatusCode::kNotFound) return deleted;
  return KillForgottenShim(ShimOf(container_id), options_.runc, options_.kill_timeout);
}

absl::Status ContainerdRemoval::ClearBundle(const std::string& container_id,
                                            const std::string& bundle) {
  RETURN_IF_ERROR(KillForgottenShim(ShimOf(container_id), options_.runc, options_.kill_timeout));
  return RemoveForgottenBundle(bundle);
}

}  // namespace davit::runtime
