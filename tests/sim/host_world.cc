#include "tests/sim/host_world.h"

namespace davit::sim {

absl::StatusOr<int> AgentRuntime::Start(const std::string& container_id) {
  absl::StatusOr<int> pid = interference_->Around([&] { return real_->Start(container_id); });
  if (bug_ != Bug::kStartsTwice || !pid.ok() || *pid % 10 != 0) return pid;
  const auto spec = real_->FindSpec(container_id);
  if (!spec.has_value()) return pid;
  for (const absl::Status& status :
       {real_->Remove(container_id), real_->PrepareRootfs(container_id, spec->lease, "").status(),
        real_->Create(*spec)}) {
    if (!status.ok()) return status;
  }
  return real_->Start(container_id);
}

absl::StatusOr<std::vector<runtime::ContainerInfo>> AgentRuntime::List() {
  auto listed = interference_->Around([&] { return real_->List(); });
  if (bug_ != Bug::kWrongExitCode || !listed.ok()) return listed;
  for (runtime::ContainerInfo& info : *listed) {
    if (info.exit_code.has_value()) info.exit_code = 255;
  }
  return listed;
}

absl::StatusOr<runtime::ExecResult> AgentRuntime::Exec(const runtime::ExecSpec& spec) {
  absl::StatusOr<runtime::ExecResult> result =
      interference_->Around([&] { return real_->Exec(spec); });
  if (result.ok()) {
    witness_->OnHealthChecked(spec.container_id, result->exit_code == 0);
    if (bug_ == Bug::kSaidToBeHealthy) result->exit_code = 0;
  } else if (absl::IsDeadlineExceeded(result.status())) {
    witness_->OnHealthChecked(spec.container_id, false);
  }
  return result;
}

void AgentStore::SaveTask(const std::string& task_id, v1::TaskRecord record, Work done) {
  if (interference_->is_dead) return;
  if (bug_ == Bug::kStoreAnswersEarly && done) {
    std::move(done)();
    done = nullptr;
  }
  ++waiting_;
  disk_->SaveTask(task_id, std::move(record), std::move(done));
}

void AgentStore::RemoveTask(const std::string& task_id) {
  if (interference_->is_dead) return;
  ++waiting_;
  disk_->RemoveTask(task_id);
}

void AgentStore::SaveRegistration(v1::RegistrationRecord record) {
  if (interference_->is_dead) return;
  ++waiting_;
  disk_->SaveRegistration(std::move(record));
}

void AgentStore::Sync() {
  waiting_ = 0;
  disk_->Hold(false);
  disk_->Hold(true);
}

}  // namespace davit::sim
