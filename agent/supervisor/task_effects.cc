#include "agent/supervisor/task_effects.h"

#include <csignal>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "agent/spec/pause.h"
#include "agent/supervisor/health_check.h"
#include "agent/supervisor/pause.h"
#include "agent/supervisor/provisioning.h"
#include "base/definition/overrides.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

constexpr absl::Duration kCgroupKillTimeout = absl::Seconds(10);
// ECS allows a check a minute; the runtime's own calls come on top.
constexpr absl::Duration kCheckPatience = absl::Seconds(150);

network::NetworkMode ModeOf(const v1::TaskDefinition& task,
                            const v1::ContainerDefinition& definition) {
  return task.network_mode() == "none" || definition.disable_networking()
             ? network::NetworkMode::kNone
             : network::NetworkMode::kBridge;
}

bool HasOwnNetwork(const v1::TaskDefinition& task, const v1::ContainerDefinition& definition) {
  return task.network_mode() != "host" || definition.disable_networking();
}

std::vector<network::PortRequest> PortsOf(const v1::ContainerDefinition& definition) {
  std::vector<network::PortRequest> ports;
  for (const v1::PortMapping& mapping : definition.port_mappings()) {
    ports.push_back({mapping.container_port(), mapping.host_port(),
                     mapping.protocol() == "udp" ? "udp" : "tcp"});
  }
  return ports;
}

// In host mode a container's ports are the host's: there is nothing to map, but they are reported.
std::vector<task::NetworkBinding> BindingsOf(const v1::TaskDefinition& task,
                                             const v1::ContainerDefinition& definition,
                                             const network::Attachment& attachment) {
  std::vector<task::NetworkBinding> bindings;
  if (HasOwnNetwork(task, definition)) {
    for (const network::PortBinding& one : attachment.bindings) {
      bindings.push_back({one.host_ip, one.container_port, one.host_port, one.protocol});
    }
    return bindings;
  }
  for (const network::PortRequest& port : PortsOf(definition)) {
    bindings.push_back({"0.0.0.0", port.container_port, port.container_port, port.protocol});
  }
  return bindings;
}

// The name of a container's host: Docker's is the first 12 digits of its id.
std::string HostnameOf(const Task& task, const v1::ContainerDefinition& definition) {
  return definition.has_hostname() && !definition.hostname().empty() ? definition.hostname()
                                                                     : task.id().substr(0, 12);
}

int StopSignalOf(const spec::ImageConfig& config) {
  absl::string_view name = config.stop_signal;
  int number = 0;
  if (absl::SimpleAtoi(name, &number) && number > 0 && number < NSIG) return number;
  if (absl::StartsWith(name, "SIG")) name.remove_prefix(3);
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* known = sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  return SIGTERM;
}

}  // namespace

task::Outcome ToOutcome(const absl::Status& status, absl::string_view error_name) {
  if (status.ok()) return {};
  // An ECS error name is one word that ends in "Error".
  const absl::string_view first = status.message().substr(0, status.message().find(':'));
  const bool is_named = absl::EndsWith(first, "Error") && !absl::StrContains(first, ' ');
  const std::string reason =
      is_named ? std::string(status.message()) : absl::StrCat(error_name, ": ", status.message());
  return {IsRetryable(status) ? task::Outcome::Kind::kRetry : task::Outcome::Kind::kFailed, reason};
}

void TaskEffects::Begin(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot,
                        const task::Action& action) {
  if (std::holds_alternative<task::Admit>(action)) {
    deps_.host->Admit(task, snapshot.owns_host_state);
  } else if (std::holds_alternative<task::Release>(action)) {
    deps_.host->Release(task->id());
  } else if (std::holds_alternative<task::Observe>(action)) {
    deps_.host->Observe(task, snapshot);
  } else if (std::holds_alternative<task::Report>(action)) {
    deps_.host->Report(task, snapshot);
  } else if (const auto* provision = std::get_if<task::Provision>(&action)) {
    deps_.pools.runtime->Post({task->id(), "making the task's cgroup, volumes and lease"},
                              [this, task, attempt = provision->attempt] {
                                task->Handle(task::Provisioned{attempt, Provision(*task)});
                              });
  } else if (const auto* pull = std::get_if<task::Pull>(&action)) {
    task->CancelFlag(pull->container)->store(false);
    // As long as a network needs; the puller has deadlines of its own.
    deps_.pools.image->Post({task->id(), absl::StrCat("pulling the image of ", pull->container),
                             absl::InfiniteDuration()},
                            [this, task, action = *pull] {
                              task->Handle(Pull(task.get(), action.container, action.attempt));
                            });
  } else if (const auto* cancel = std::get_if<task::CancelPull>(&action)) {
    task->CancelFlag(cancel->container)->store(true);
  } else if (const auto* create = std::get_if<task::Create>(&action)) {
    BeginCreate(task, *create);
  } else if (const auto* start = std::get_if<task::Start>(&action)) {
    deps_.pools.runtime->Post(
        {task->id(), absl::StrCat("starting container ", start->container)},
        [this, task, action = *start] {
          const absl::StatusOr<int> pid = Start(*task, action.container);
          task->Handle(task::Started{action.container, action.attempt,
                                     ToOutcome(pid.status(), "CannotStartContainerError"),
                                     pid.value_or(0)});
        });
  } else if (const auto* signal = std::get_if<task::Signal>(&action)) {
    deps_.pools.signal->Post(
        {task->id(), absl::StrCat("sending signal ", signal->signal_number, " to container ",
                                  signal->container)},
        [this, task, action = *signal] {
          task->Handle(task::Signalled{
              action.container, ToOutcome(Signal(*task, action), "CannotStopContainerError")});
        });
  } else if (const auto* check = std::get_if<task::Check>(&action)) {
    deps_.pools.health->Post(
        {task->id(), absl::StrCat("checking container ", check->container), kCheckPatience},
        [this, task, action = *check] { task->Handle(Check(*task, action)); });
  } else if (const auto* deprovision = std::get_if<task::Deprovision>(&action)) {
    std::vector<std::string> containers;
    for (const task::ContainerSnapshot& container : snapshot.containers)
      containers.push_back(container.name);
    // After those that are in its namespaces.
    if (spec::NeedsPause(task->assignment().task_definition()))
      containers.emplace_back(spec::kPauseContainer);
    deps_.pools.runtime->Post(
        {task->id(), "removing the task"},
        [this, task, attempt = deprovision->attempt, containers = std::move(containers)] {
          task->Handle(Deprovision(task.get(), containers, attempt));
        });
  } else if (const auto* timer = std::get_if<task::ArmTimer>(&action)) {
    deps_.timers->After(timer->delay, deps_.pools.control,
                        [task, key = timer->key] { task->Handle(task::TimerFired{key}); });
  }
}

task::Outcome TaskEffects::Provision(const Task& task) {
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
    rest = deps_.runtime->CreateLease(task.Lease(), LabelsOf(task));
  }
  if (rest.ok() && spec::NeedsPause(definition)) rest = BeginSharing(task);
  return ToOutcome(rest, "ResourceInitializationError");
}

absl::Status TaskEffects::BeginSharing(const Task& task) {
  ASSIGN_OR_RETURN(
      std::string oci_spec,
      spec::BuildPauseSpec(
          task.arn(), deps_.cgroups->ContainerPath(task.id(), spec::kPauseContainer), deps_.facts));
  return StartPause(deps_.runtime, {task.id(), task.Lease(), LabelsOf(task), std::move(oci_spec)});
}

task::Pulled TaskEffects::Pull(Task* task, const std::string& container, int attempt) {
  const std::shared_ptr<std::atomic<bool>> cancelled = task->CancelFlag(container);
  absl::StatusOr<image::PulledImage> image =
      deps_.puller->Pull(task->Definition(container).image(), task->Lease(),
                         [cancelled] { return cancelled->load(); });
  if (!image.ok()) {
    task::Outcome outcome = ToOutcome(image.status(), "CannotPullContainerError");
    // The puller has tried again already, unless containerd is away.
    outcome.kind = absl::IsAborted(image.status()) ? task::Outcome::Kind::kRetry
                                                   : task::Outcome::Kind::kFailed;
    return {container, attempt, std::move(outcome), "", SIGTERM};
  }
  task::Pulled pulled{container, attempt, {}, image->manifest_digest, StopSignalOf(image->config)};
  task->SetImage(container, std::move(*image));
  return pulled;
}

absl::StatusOr<network::Attachment> TaskEffects::Attach(const Task& task,
                                                        const std::string& container) {
  const v1::ContainerDefinition& definition = task.Definition(container);
  const network::NetworkMode mode = ModeOf(task.assignment().task_definition(), definition);
  return deps_.network->Attach(
      task.ContainerId(container), mode,
      definition.disable_networking() ? std::vector<network::PortRequest>() : PortsOf(definition));
}

// Values that the definition only names come first. Their stores are as slow as registries: the
// same pool.
void TaskEffects::BeginCreate(const std::shared_ptr<Task>& task, const task::Create& action) {
  if (!secret::ValueResolver::IsNeeded(
          task->Definition(action.container),
          OverrideOf(task->assignment().overrides(), action.container))) {
    BeginAttach(task, action, std::make_shared<secret::ResolvedValues>());
    return;
  }
  BlockingCall call{
      task->id(), absl::StrCat("reading the secrets and environment files of ", action.container)};
  deps_.pools.image->Post(std::move(call), [this, task, action] {
    absl::StatusOr<secret::ResolvedValues> values = ResolveValues(*task, action.container);
    if (values.ok()) {
      task->AddSecrets(action.container, *values);
      BeginAttach(task, action, std::make_shared<secret::ResolvedValues>(*std::move(values)));
    } else {
      task->Handle(task::Created{action.container,
                                 action.attempt,
                                 ToOutcome(values.status(), "ResourceInitializationError"),
                                 {}});
    }
  });
}

absl::StatusOr<secret::ResolvedValues> TaskEffects::ResolveValues(const Task& task,
                                                                  const std::string& container) {
  if (deps_.values == nullptr) {
    return absl::FailedPreconditionError(
        "the agent has no source of secrets and environment files");
  }
  return deps_.values->Resolve(task.Definition(container),
                               OverrideOf(task.assignment().overrides(), container));
}

// Then the network, on its own pool: CNI plugins are slow, and nothing else shall wait for them.
void TaskEffects::BeginAttach(const std::shared_ptr<Task>& task, const task::Create& action,
                              std::shared_ptr<const secret::ResolvedValues> values) {
  const auto create = [this, task, action, values](const network::Attachment& attachment) {
    absl::Status created =
        action.again ? ClearEarlierLife(task->ContainerId(action.container)) : absl::OkStatus();
    if (created.ok()) created = Create(task.get(), action.container, attachment, *values);
    task::Outcome outcome = ToOutcome(created, "CannotCreateContainerError");
    // It runs or ran, made by an agent that died: the machine looks at it and goes on from there.
    if (absl::IsAlreadyExists(created)) outcome.kind = task::Outcome::Kind::kRetry;
    task->Handle(task::Created{action.container, action.attempt, std::move(outcome),
                               BindingsOf(task->assignment().task_definition(),
                                          task->Definition(action.container), attachment)});
  };
  const BlockingCall creating{task->id(), absl::StrCat("creating container ", action.container)};
  if (!HasOwnNetwork(task->assignment().task_definition(), task->Definition(action.container))) {
    deps_.pools.runtime->Post(creating, [create] { create(network::Attachment()); });
    return;
  }
  const BlockingCall attaching{task->id(),
                               absl::StrCat("making the network of container ", action.container)};
  deps_.pools.network->Post(attaching, [this, task, action, create, creating] {
    absl::StatusOr<network::Attachment> attachment = Attach(*task, action.container);
    if (!attachment.ok()) {
      task->Handle(task::Created{action.container,
                                 action.attempt,
                                 ToOutcome(attachment.status(), "CannotStartContainerError"),
                                 {}});
      return;
    }
    deps_.pools.runtime->Post(
        creating, [create, attachment = *std::move(attachment)] { create(attachment); });
  });
}

absl::StatusOr<std::string> TaskEffects::BuildSpec(Task* task,
                                                   const v1::ContainerDefinition& definition,
                                                   const network::Attachment& attachment,
                                                   const runtime::Rootfs& rootfs,
                                                   const secret::ResolvedValues& values) {
  spec::ContainerPlace place;
  place.task_arn = task->arn();
  place.container_name = definition.name();
  place.cgroup_path = deps_.cgroups->ContainerPath(task->id(), definition.name());
  place.network_namespace_path = attachment.namespace_path;
  place.hostname = HostnameOf(*task, definition);
  place.task_cpu_units = TaskCpuUnits(task->assignment());
  RETURN_IF_ERROR(PlaceShared(*task, &place));
  RETURN_IF_ERROR(PlaceVolumes(task, definition, rootfs, values, &place));
  place.gpu_ids = GpuIdsOf(task->assignment(), definition.name());
  place.file_environment = values.file_environment;
  place.secrets = values.secrets;
  if (HasOwnNetwork(task->assignment().task_definition(), definition)) {
    ASSIGN_OR_RETURN(const std::string etc,
                     deps_.files->WriteEtc(task->id(), definition.name(), place.hostname,
                                           attachment.ip_address));
    place.hosts_path = etc + "/hosts";
    place.hostname_path = etc + "/hostname";
    place.resolv_conf_path = etc + "/resolv.conf";
  } else {
    place.hosts_path = "/etc/hosts";
    place.resolv_conf_path = "/etc/resolv.conf";
  }
  place.passwd = runtime::ReadFromRootfs(rootfs, "/etc/passwd").value_or("");
  place.group = runtime::ReadFromRootfs(rootfs, "/etc/group").value_or("");
  return spec::BuildOciSpec(task->assignment().task_definition(), definition,
                            task->assignment().overrides(), task->Image(definition.name()).config,
                            deps_.facts, place);
}

absl::Status TaskEffects::PlaceShared(const Task& task, spec::ContainerPlace* place) {
  const v1::TaskDefinition& definition = task.assignment().task_definition();
  if (!spec::NeedsPause(definition)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int pid, FindPausePid(deps_.runtime, task.id()));
  if (spec::SharesTaskPid(definition))
    place->pid_namespace_path = absl::StrCat("/proc/", pid, "/ns/pid");
  if (!spec::SharesTaskIpc(definition)) return absl::OkStatus();
  place->ipc_namespace_path = absl::StrCat("/proc/", pid, "/ns/ipc");
  ASSIGN_OR_RETURN(place->shared_memory_path,
                   deps_.files->MakeSharedMemory(task.id(), spec::SharedMemoryMib(definition)));
  return absl::OkStatus();
}

absl::Status TaskEffects::PlaceVolumes(Task* task, const v1::ContainerDefinition& definition,
                                       const runtime::Rootfs& rootfs,
                                       const secret::ResolvedValues& values,
                                       spec::ContainerPlace* place) {
  const v1::TaskDefinition& task_definition = task->assignment().task_definition();
  ASSIGN_OR_RETURN(place->volumes, deps_.files->MakeVolumes(task->id(), task_definition));
  ASSIGN_OR_RETURN(place->image_volumes,
                   deps_.files->MakeImageVolumes(task->id(), definition,
                                                 task->Image(definition.name()).config.volumes));
  ASSIGN_OR_RETURN(place->secret_files,
                   deps_.files->WriteSecrets(task->id(), definition.name(), values.secret_files));
  return FillNewVolumes(task_definition, definition, rootfs, *place);
}

absl::Status TaskEffects::Create(Task* task, const std::string& container,
                                 const network::Attachment& attachment,
                                 const secret::ResolvedValues& values) {
  const v1::ContainerDefinition& definition = task->Definition(container);
  const image::PulledImage image = task->Image(container);
  runtime::ContainerSpec spec;
  spec.id = task->ContainerId(container);
  spec.lease = task->Lease();
  spec.image_name = image.name;
  spec.labels = LabelsOf(*task);
  spec.labels["davit.container-name"] = container;
  ASSIGN_OR_RETURN(const runtime::Rootfs rootfs,
                   deps_.runtime->PrepareRootfs(spec.id, spec.lease, image.chain_id));
  ASSIGN_OR_RETURN(spec.oci_spec_json, BuildSpec(task, definition, attachment, rootfs, values));
  log::LogOptions log = deps_.log;
  log.file = deps_.files->LogFile(task->id(), container);
  spec.log_uri = log::LogUri(log);
  spec.terminal = definition.pseudo_terminal();
  spec.open_stdin = definition.interactive();
  const Doing step("the runtime creates ", spec.id);
  RETURN_IF_ERROR(deps_.runtime->Create(spec));
  if (!spec::NeedsPause(task->assignment().task_definition())) return absl::OkStatus();
  // If it has ended, its pid may have been another process's when the container joined "its"
  // namespaces. Nothing of the container has run yet.
  return FindPausePid(deps_.runtime, task->id()).status();
}

absl::Status TaskEffects::ClearEarlierLife(const std::string& container_id) {
  const absl::Status reset = deps_.runtime->Reset(container_id);
  if (absl::IsFailedPrecondition(reset)) return absl::AlreadyExistsError(reset.message());
  return reset;
}

absl::StatusOr<int> TaskEffects::Start(const Task& task, const std::string& container) {
  const std::string id = task.ContainerId(container);
  absl::StatusOr<int> pid = deps_.runtime->Start(id);
  if (pid.status().code() != absl::StatusCode::kAlreadyExists) return pid;
  ASSIGN_OR_RETURN(const runtime::ContainerInfo info, deps_.runtime->Inspect(id));
  return info.pid;
}

absl::Status TaskEffects::Signal(const Task& task, const task::Signal& signal) {
  if (!signal.whole_cgroup)
    return deps_.runtime->Signal(task.ContainerId(signal.container), signal.signal_number);
  // Past the runtime: it was asked before and the process did not die of it.
  ASSIGN_OR_RETURN(
      const std::vector<int> pids,
      deps_.cgroups->Processes(deps_.cgroups->ContainerPath(task.id(), signal.container)));
  for (const int pid : pids) kill(pid, signal.signal_number);
  return absl::OkStatus();
}

task::Checked TaskEffects::Check(const Task& task, const task::Check& check) {
  return CheckAnswerOf(
      check, deps_.runtime->Exec(CheckCommandOf(task.ContainerId(check.container),
                                                task.Definition(check.container), check.probe)));
}

task::Deprovisioned TaskEffects::Deprovision(Task* task, const std::vector<std::string>& containers,
                                             int attempt) {
  task::Deprovisioned done{
      attempt, ToOutcome(RemoveFromHost(task->id(), containers), "CannotRemoveContainerError")};
  // Whatever is in the way: nothing may be left behind, so it is tried again.
  if (done.outcome.kind == task::Outcome::Kind::kFailed)
    done.outcome.kind = task::Outcome::Kind::kRetry;
  if (done.outcome.kind != task::Outcome::Kind::kDone) return done;
  // A container's removal waits for the end of its davit-logger: nothing is on its way any more.
  for (const v1::ContainerDefinition& one :
       task->assignment().task_definition().container_definitions()) {
    auto lines = deps_.post_mortems->LastLines(*task, one.name());
    if (lines && !lines->empty()) done.last_lines[one.name()] = *std::move(lines);
  }
  task->ForgetSecrets();
  return done;
}

absl::Status TaskEffects::RemoveFromHost(const std::string& task_id,
                                         const std::vector<std::string>& containers) {
  for (const std::string& container : containers) {
    const std::string id = task::ContainerIdOf(task_id, container);
    {
      const Doing step("the runtime removes ", id);
      RETURN_IF_ERROR(OkIfNotFound(deps_.runtime->Remove(id)), "removing container ", container);
    }
    const Doing step("removing the network of ", id);
    RETURN_IF_ERROR(deps_.network->Detach(id), "removing the network of ", container);
  }
  const Doing step("removing the cgroup and the files of task ", task_id);
  RETURN_IF_ERROR(deps_.cgroups->Remove(task_id, kCgroupKillTimeout), "removing the task's cgroup");
  RETURN_IF_ERROR(deps_.files->RemoveTask(task_id), "removing the task's files");
  return deps_.runtime->RemoveLease(LeaseOf(task_id));
}

std::map<std::string, std::string> TaskEffects::LabelsOf(const Task& task) const {
  return {{"davit.task-arn", task.arn()},
          {"davit.cluster", task.assignment().cluster()},
          {"davit.agent", deps_.agent_label}};
}

}  // namespace davit::supervisor
