#include "agent/supervisor/task_removal.h"

#include <utility>

#include "agent/supervisor/outcome.h"
#include "base/blocking_calls.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

constexpr absl::Duration kCgroupKillTimeout = absl::Seconds(10);

}  // namespace

task::Deprovisioned TaskRemoval::Deprovision(Task* task, const std::vector<std::string>& containers,
                                             int attempt) const {
  task::Deprovisioned done{
      attempt, ToOutcome(RemoveFromHost(task->id(), containers), "CannotRemoveContainerError")};
  // Whatever is in the way: nothing may be left behind, so it is tried again.
  if (done.outcome.kind == task::Outcome::Kind::kFailed)
    done.outcome.kind = task::Outcome::Kind::kRetry;
  if (done.outcome.kind != task::Outcome::Kind::kDone) return done;
  // A container's removal waits for the end of its davit-logger: nothing is on its way any more.
  for (const v1::ContainerDefinition& one :
       task->assignment().task_definition().container_definitions()) {
    auto lines = post_mortems_->LastLines(*task, one.name());
    if (lines && !lines->empty()) done.last_lines[one.name()] = *std::move(lines);
  }
  task->ForgetSecrets();
  return done;
}

absl::Status TaskRemoval::RemoveFromHost(const std::string& task_id,
                                         const std::vector<std::string>& containers) const {
  for (const std::string& container : containers) {
    const std::string id = task::ContainerIdOf(task_id, container);
    {
      const Doing step("the runtime removes ", id);
      RETURN_IF_ERROR(OkIfNotFound(host_.runtime->Remove(id)), "removing container ", container);
    }
    const Doing step("removing the network of ", id);
    RETURN_IF_ERROR(host_.network->Detach(id), "removing the network of ", container);
  }
  const Doing step("removing the cgroup and the files of task ", task_id);
  RETURN_IF_ERROR(host_.cgroups->Remove(task_id, kCgroupKillTimeout), "removing the task's cgroup");
  RETURN_IF_ERROR(host_.files->RemoveTask(task_id), "removing the task's files");
  return host_.runtime->RemoveLease(LeaseOf(task_id));
}

}  // namespace davit::supervisor
