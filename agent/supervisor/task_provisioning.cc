#include "agent/supervisor/task_provisioning.h"

#include <utility>

#include "absl/strings/str_join.h"
#include "agent/spec/pause.h"
#include "agent/supervisor/outcome.h"
#include "agent/supervisor/pause.h"
#include "agent/supervisor/provisioning.h"
#include "agent/supervisor/task_labels.h"
#include "base/blocking_calls.h"
#include "base/status.h"

namespace davit::supervisor {

task::Outcome TaskProvisioning::Provision(const Task& task) const {
  const v1::TaskDefinition& definition = task.assignment().task_definition();
  std::vector<std::string> unsupported = spec::UnsupportedMembers(definition);
  for (std::string& member : spec::UnsupportedMembers(task.assignment().overrides())) {
    unsupported.push_back(std::move(member));
  }
  if (!unsupported.empty()) {
    return {task::Outcome::Kind::kFailed,
            absl::StrCat("CannotCreateContainerError: this agent does not support ",
                         absl::StrJoin(unsupported, ", "),
                         ": remove the member, or place the task on an agent that does")};
  }
  if (const absl::Status made =
          deps_.cgroups->Create(task.id(), LimitsOf(task.assignment(), deps_.pids_limit));
      !made.ok()) {
    return ToOutcome(made, "CgroupError");
  }
  const auto volumes = deps_.files->MakeVolumes(task.id(), definition);
  if (!volumes.ok()) return ToOutcome(volumes.status(), "VolumeError");
  absl::Status rest = deps_.files->MakeLogFolder(task.id());
  if (rest.ok()) {
    const Doing step("containerd makes lease ", task.Lease());
    rest = deps_.runtime->CreateLease(task.Lease(), LabelsOf(task, deps_.agent_label));
  }
  if (rest.ok() && spec::NeedsPause(definition)) rest = BeginSharing(task);
  return ToOutcome(rest, "ResourceInitializationError");
}

absl::Status TaskProvisioning::BeginSharing(const Task& task) const {
  ASSIGN_OR_RETURN(
      std::string oci_spec,
      spec::BuildPauseSpec(task.arn(), deps_.cgroups->ContainerPath(task.id(), kPauseContainer),
                           *deps_.facts));
  return StartPause(deps_.runtime, {task.id(), task.Lease(), LabelsOf(task, deps_.agent_label),
                                    std::move(oci_spec)});
}

}  // namespace davit::supervisor
