#include "agent/supervisor/container_life.h"

#include <csignal>

#include "agent/supervisor/health_check.h"
#include "base/status.h"

namespace davit::supervisor {

absl::StatusOr<int> ContainerLife::Start(const Task& task, const std::string& container) const {
  const std::string id = task.ContainerId(container);
  absl::StatusOr<int> pid = deps_.runtime->Start(id);
  if (pid.status().code() != absl::StatusCode::kAlreadyExists) return pid;
  ASSIGN_OR_RETURN(const runtime::ContainerInfo info, deps_.runtime->Inspect(id));
  return info.pid;
}

absl::Status ContainerLife::Signal(const Task& task, const task::Signal& signal) const {
  if (!signal.whole_cgroup)
    return deps_.runtime->Signal(task.ContainerId(signal.container), signal.signal_number);
  // Past the runtime: it was asked before and the process did not die of it.
  return deps_.cgroups->Signal(deps_.cgroups->ContainerPath(task.id(), signal.container),
                               signal.signal_number);
}

task::Checked ContainerLife::Check(const Task& task, const task::Check& check) const {
  return CheckAnswerOf(
      check, deps_.runtime->Exec(CheckCommandOf(task.ContainerId(check.container),
                                                task.Definition(check.container), check.probe)));
}

}  // namespace davit::supervisor
