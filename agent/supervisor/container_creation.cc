#include "agent/supervisor/container_creation.h"

#include <utility>

#include "agent/spec/pause.h"
#include "agent/supervisor/container_network.h"
#include "agent/supervisor/pause.h"
#include "agent/supervisor/provisioning.h"
#include "agent/supervisor/task_labels.h"
#include "base/blocking_calls.h"
#include "base/log.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

// The name of a container's host: Docker's is the first 12 digits of its id.
std::string HostnameOf(const Task& task, const v1::ContainerDefinition& definition) {
  return definition.has_hostname() && !definition.hostname().empty() ? definition.hostname()
                                                                     : task.id().substr(0, 12);
}

}  // namespace

absl::StatusOr<network::Attachment> ContainerCreation::Attach(const Task& task,
                                                              const std::string& container) const {
  const v1::ContainerDefinition& definition = task.Definition(container);
  const network::NetworkMode mode = ModeOf(task.assignment().task_definition(), definition);
  return deps_.host.network->Attach(
      task.ContainerId(container), mode,
      definition.disable_networking() ? std::vector<network::PortRequest>() : PortsOf(definition));
}

absl::StatusOr<std::string> ContainerCreation::BuildSpec(
    const Task& task, const v1::ContainerDefinition& definition,
    const network::Attachment& attachment, const runtime::Rootfs& rootfs,
    const secret::ResolvedValues& values) const {
  spec::ContainerPlace place;
  place.task_arn = task.arn();
  place.container_name = definition.name();
  place.cgroup_path = deps_.host.cgroups->ContainerPath(task.id(), definition.name());
  place.network_namespace_path = attachment.namespace_path;
  place.hostname = HostnameOf(task, definition);
  place.task_cpu_units = TaskCpuUnits(task.assignment());
  RETURN_IF_ERROR(PlaceShared(task, &place));
  RETURN_IF_ERROR(PlaceVolumes(task, definition, rootfs, values, &place));
  place.gpu_ids = GpuIdsOf(task.assignment(), definition.name());
  place.file_environment = values.file_environment;
  place.secrets = values.secrets;
  RETURN_IF_ERROR(PlaceEtc(task, definition, attachment, &place));
  place.passwd = runtime::ReadFromRootfs(rootfs, "/etc/passwd").value_or("");
  place.group = runtime::ReadFromRootfs(rootfs, "/etc/group").value_or("");
  return spec::BuildOciSpec(task.assignment().task_definition(), definition,
                            task.assignment().overrides(), task.Image(definition.name()).config,
                            *deps_.facts, place);
}

absl::Status ContainerCreation::PlaceEtc(const Task& task,
                                         const v1::ContainerDefinition& definition,
                                         const network::Attachment& attachment,
                                         spec::ContainerPlace* place) const {
  if (!HasOwnNetwork(task.assignment().task_definition(), definition)) {
    place->hosts_path = "/etc/hosts";
    place->resolv_conf_path = "/etc/resolv.conf";
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string etc,
                   deps_.host.files->WriteEtc(task.id(), definition.name(), place->hostname,
                                              attachment.ip_address));
  place->hosts_path = etc + "/hosts";
  place->hostname_path = etc + "/hostname";
  place->resolv_conf_path = etc + "/resolv.conf";
  return absl::OkStatus();
}

absl::Status ContainerCreation::PlaceShared(const Task& task, spec::ContainerPlace* place) const {
  const v1::TaskDefinition& definition = task.assignment().task_definition();
  if (!spec::NeedsPause(definition)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int pid, FindPausePid(deps_.host.runtime, task.id()));
  if (spec::SharesTaskPid(definition))
    place->pid_namespace_path = absl::StrCat("/proc/", pid, "/ns/pid");
  if (!spec::SharesTaskIpc(definition)) return absl::OkStatus();
  place->ipc_namespace_path = absl::StrCat("/proc/", pid, "/ns/ipc");
  ASSIGN_OR_RETURN(place->shared_memory_path, deps_.host.files->MakeSharedMemory(
                                                  task.id(), spec::SharedMemoryMib(definition)));
  return absl::OkStatus();
}

absl::Status ContainerCreation::PlaceVolumes(const Task& task,
                                             const v1::ContainerDefinition& definition,
                                             const runtime::Rootfs& rootfs,
                                             const secret::ResolvedValues& values,
                                             spec::ContainerPlace* place) const {
  const v1::TaskDefinition& task_definition = task.assignment().task_definition();
  ASSIGN_OR_RETURN(place->volumes, deps_.host.files->MakeVolumes(task.id(), task_definition));
  ASSIGN_OR_RETURN(place->image_volumes,
                   deps_.host.files->MakeImageVolumes(
                       task.id(), definition, task.Image(definition.name()).config.volumes));
  ASSIGN_OR_RETURN(place->secret_files, deps_.host.files->WriteSecrets(task.id(), definition.name(),
                                                                       values.secret_files));
  return FillNewVolumes(task_definition, definition, rootfs, *place);
}

absl::Status ContainerCreation::Create(const Task& task, const std::string& container, bool again,
                                       const network::Attachment& attachment,
                                       const secret::ResolvedValues& values) const {
  if (again) {
    const absl::Status reset = deps_.host.runtime->Reset(task.ContainerId(container));
    if (absl::IsFailedPrecondition(reset)) return absl::AlreadyExistsError(reset.message());
    RETURN_IF_ERROR(reset);
  }
  const v1::ContainerDefinition& definition = task.Definition(container);
  const image::PulledImage image = task.Image(container);
  runtime::ContainerSpec spec;
  spec.id = task.ContainerId(container);
  spec.lease = task.Lease();
  spec.image_name = image.name;
  spec.labels = LabelsOf(task, deps_.agent_label);
  spec.labels["davit.container-name"] = container;
  ASSIGN_OR_RETURN(const runtime::Rootfs rootfs,
                   deps_.host.runtime->PrepareRootfs(spec.id, spec.lease, image.chain_id));
  ASSIGN_OR_RETURN(spec.oci_spec_json, BuildSpec(task, definition, attachment, rootfs, values));
  log::LogOptions log = deps_.log;
  log.file = deps_.host.files->LogFile(task.id(), container);
  spec.log_uri = log::LogUri(log);
  // A container runs without a log rather than not at all, and its post-mortem will say so.
  if (const absl::Status made = deps_.host.files->MakeLog(task.id(), container); !made.ok())
    LogWarning("container runs without a log", {{"container_id", spec.id}, {"error", made}});
  spec.terminal = definition.pseudo_terminal();
  spec.open_stdin = definition.interactive();
  const Doing step("the runtime creates ", spec.id);
  RETURN_IF_ERROR(deps_.host.runtime->Create(spec));
  if (!spec::NeedsPause(task.assignment().task_definition())) return absl::OkStatus();
  // If it has ended, its pid may have been another process's when the container joined "its"
  // namespaces. Nothing of the container has run yet.
  return FindPausePid(deps_.host.runtime, task.id()).status();
}

}  // namespace davit::supervisor
