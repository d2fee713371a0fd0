#include "agent/runtime/containerd_runtime.h"

#include <csignal>
#include <utility>

#include "absl/strings/match.h"
#include "agent/runtime/containerd_status.h"
#include "agent/runtime/containerd_view.h"
#include "base/status.h"

namespace davit::runtime {
namespace {

using containerd::Container;
using containerd::TaskInfo;
using containerd::TaskStatus;

constexpr absl::string_view kRuncRuntimes = "io.containerd.runc.";

template <typename... Context>
absl::Status Explain(const absl::Status& status, const Context&... context) {
  return Annotate(ToRuntimeStatus(status), absl::StrCat(context...));
}

}  // namespace

ContainerdRuntime::ContainerdRuntime(containerd::Client* client, ContainerdRuntimeOptions options)
    : client_(client),
      options_(std::move(options)),
      containers_(client),
      tasks_(client),
      exec_(&tasks_, {options_.exec_folder, options_.call_timeout, options_.kill_timeout}),
      removal_(&containers_, &tasks_,
               {client->options().address, client->options().containerd_namespace, options_.runtime,
                options_.runc, options_.call_timeout, options_.kill_timeout}),
      snapshots_(client, options_.snapshotter),
      leases_(client) {}

ContainerdRuntime::~ContainerdRuntime() = default;

absl::Status ContainerdRuntime::CreateLease(const std::string& lease,
                                            const std::map<std::string, std::string>& labels) {
  return Explain(OkIfAlreadyExists(leases_.Create(lease, labels, Within(options_.call_timeout))),
                 "creating lease ", lease);
}

absl::Status ContainerdRuntime::RemoveLease(const std::string& lease) {
  return Explain(
      OkIfNotFound(leases_.Delete(lease, /*is_synchronous=*/false, Within(options_.call_timeout))),
      "removing lease ", lease);
}

absl::StatusOr<std::vector<std::string>> ContainerdRuntime::ListLeases() {
  const auto leases = leases_.List({}, Within(options_.call_timeout));
  if (!leases.ok()) return Explain(leases.status(), "listing leases");
  std::vector<std::string> ids;
  for (const containerd::Lease& lease : *leases) ids.push_back(lease.id);
  return ids;
}

absl::StatusOr<Rootfs> ContainerdRuntime::PrepareRootfs(const std::string& container_id,
                                                        const std::string& lease,
                                                        const std::string& chain_id) {
  const containerd::CallOptions leased{.lease = lease, .timeout = options_.call_timeout};
  auto mounts = snapshots_.Prepare(container_id, chain_id, {}, leased);
  if (mounts.status().code() == absl::StatusCode::kAlreadyExists) {
    // From an earlier attempt, perhaps under a lease that is gone.
    const absl::Status held =
        leases_.AddResource(lease, {absl::StrCat("snapshots/", options_.snapshotter), container_id},
                            Within(options_.call_timeout));
    if (!held.ok()) return Explain(held, "leasing the rootfs of ", container_id);
    mounts = snapshots_.Mounts(container_id, Within(options_.call_timeout));
  }
  if (!mounts.ok()) return Explain(mounts.status(), "preparing the rootfs of ", container_id);
  if (!IsFolderThere(*mounts)) {
    const absl::Status removed =
        OkIfNotFound(snapshots_.Remove(container_id, Within(options_.call_timeout)));
    if (!removed.ok()) return Explain(removed, "removing the broken rootfs of ", container_id);
    return absl::UnavailableError(
        absl::StrCat("preparing the rootfs of ", container_id, ": its folder is gone"));
  }
  return Rootfs{container_id, LayersOf(*mounts)};
}

absl::Status ContainerdRuntime::CreateRecord(const ContainerSpec& spec) {
  const Container record{.id = spec.id,
                         .labels = spec.labels,
                         .image = spec.image_name,
                         .runtime = options_.runtime,
                         .oci_spec_json = spec.oci_spec_json,
                         .snapshotter = options_.snapshotter,
                         .snapshot_key = spec.id};
  const absl::Status status = containers_.Create(record, Within(options_.call_timeout));
  if (status.code() != absl::StatusCode::kAlreadyExists) return status;
  // An earlier attempt created the record, and perhaps a shim that containerd forgot when the
  // caller died. The next creation would find that shim and hang.
  RETURN_IF_ERROR(removal_.ClearTask(spec.id));
  // This attempt may have another spec.
  return containers_.Update(record, Within(options_.call_timeout));
}

absl::Status ContainerdRuntime::CheckCreated(const std::string& container_id) {
  ASSIGN_OR_RETURN(const TaskInfo task, tasks_.Get(container_id, Within(options_.call_timeout)));
  switch (task.status) {
    case TaskStatus::kCreated:
      return absl::OkStatus();
    case TaskStatus::kUnknown:
      return absl::UnavailableError("its shim does not answer");
    default:
      return absl::AlreadyExistsError("it was started before");
  }
}

absl::Status ContainerdRuntime::Create(const ContainerSpec& spec) {
  const bool needs_davit_runc = spec.open_stdin && !spec.terminal;
  if (needs_davit_runc && !absl::StartsWith(options_.runtime, kRuncRuntimes)) {
    return absl::FailedPreconditionError(
        absl::StrCat("creating container ", spec.id,
                     ": an open standard input without a terminal needs runtime ", kRuncRuntimes,
                     "v2, and this host has ", options_.runtime));
  }
  const absl::Status earlier = CheckCreated(spec.id);
  if (earlier.code() != absl::StatusCode::kNotFound) {
    return Explain(earlier, "creating container ", spec.id);
  }
  const auto mounts = snapshots_.Mounts(spec.id, Within(options_.call_timeout));
  if (mounts.status().code() == absl::StatusCode::kNotFound) {
    return absl::FailedPreconditionError(
        absl::StrCat("creating container ", spec.id, ": its rootfs was not prepared"));
  }
  if (!mounts.ok()) return Explain(mounts.status(), "creating container ", spec.id);
  const absl::Status record = CreateRecord(spec);
  if (!record.ok()) return Explain(record, "creating the record of container ", spec.id);
  const absl::Status task =
      tasks_
          .Create({.container_id = spec.id,
                   .rootfs = *mounts,
                   .stdin_address = "",
                   .stdout_address = spec.log_uri,
                   .stderr_address = spec.terminal ? "" : spec.log_uri,
                   .terminal = spec.terminal,
                   .runc_binary = needs_davit_runc ? options_.davit_runc : ""},
                  Within(options_.create_timeout))
          .status();
  const std::string bundle = FindForgottenBundle(task.message(), removal_.ShimOf(spec.id));
  if (!bundle.empty()) {
    RETURN_IF_ERROR(removal_.ClearBundle(spec.id, bundle), "removing incomplete container ",
                    spec.id);
    return absl::UnavailableError(
        absl::StrCat("creating container ", spec.id, ": ", task.message()));
  }
  if (!task.ok() && !IsFolderThere(*mounts)) {
    return absl::UnavailableError(absl::StrCat(
        "creating container ", spec.id, ": the folder of its rootfs is gone: ", task.message()));
  }
  if (IsCommandRefused(task)) {
    return Explain(task, "CannotStartContainerError: creating container ", spec.id);
  }
  if (task.code() != absl::StatusCode::kAlreadyExists) {
    return Explain(task, "creating container ", spec.id);
  }
  // Two callers at once: the other caller's task is fine.
  const absl::Status other = CheckCreated(spec.id);
  if (other.code() != absl::StatusCode::kNotFound) {
    return Explain(other, "creating container ", spec.id);
  }
  // A shim without a container: containerd ended during the creation, and its successor found the
  // shim again.
  RETURN_IF_ERROR(removal_.ClearTask(spec.id), "removing incomplete container ", spec.id);
  return absl::UnavailableError(
      absl::StrCat("creating container ", spec.id, ": an earlier creation was interrupted"));
}

absl::StatusOr<int> ContainerdRuntime::Start(const std::string& container_id) {
  const absl::StatusOr<int> pid = tasks_.Start(container_id, Within(options_.create_timeout));
  if (pid.ok()) return pid;
  const absl::Status refused = Explain(pid.status(), "starting container ", container_id);
  if (refused.code() == absl::StatusCode::kUnavailable) return refused;
  // containerd has no code for "was started before", so inspect.
  const absl::StatusOr<ContainerInfo> info = Inspect(container_id);
  if (!info.ok()) return info.status();
  switch (info->state) {
    case ContainerState::kAbsent:
      return absl::FailedPreconditionError(
          absl::StrCat("starting container ", container_id, ": it was not created"));
    case ContainerState::kRunning:
      return absl::AlreadyExistsError(
          absl::StrCat("starting container ", container_id, ": it runs"));
    case ContainerState::kCreated:
    case ContainerState::kStopped:
    case ContainerState::kUnknown:
      break;
  }
  if (absl::StrContains(pid.status().message(), "cannot start a stopped process")) {
    return absl::AlreadyExistsError(
        absl::StrCat("starting container ", container_id, ": it ran already"));
  }
  return refused;
}

absl::Status ContainerdRuntime::Signal(const std::string& container_id, int signal_number,
                                       bool all) {
  return Explain(tasks_.Kill(container_id, signal_number, all, Within(options_.call_timeout)),
                 "sending signal ", signal_number, " to container ", container_id);
}

absl::StatusOr<ContainerInfo> ContainerdRuntime::Inspect(const std::string& container_id) {
  const auto record = containers_.Get(container_id, Within(options_.call_timeout));
  if (!record.ok()) return Explain(record.status(), "inspecting container ", container_id);
  ContainerInfo info{.id = container_id, .labels = record->labels};
  const auto task = tasks_.Get(container_id, Within(options_.call_timeout));
  if (task.status().code() == absl::StatusCode::kNotFound) return info;
  if (!task.ok()) return Explain(task.status(), "inspecting container ", container_id);
  if (task->status == TaskStatus::kUnknown) {
    return absl::UnavailableError(
        absl::StrCat("inspecting container ", container_id, ": its shim does not answer"));
  }
  SetState(*task, &info);
  return info;
}

absl::Status ContainerdRuntime::Reset(const std::string& container_id) {
  const auto task = tasks_.Get(container_id, Within(options_.call_timeout));
  if (!task.ok() && task.status().code() != absl::StatusCode::kNotFound) {
    return Explain(task.status(), "resetting container ", container_id);
  }
  if (task.ok() && task->status == TaskStatus::kCreated) return absl::OkStatus();
  if (task.ok() && task->status == TaskStatus::kUnknown) {
    return absl::UnavailableError(
        absl::StrCat("resetting container ", container_id, ": its shim does not answer"));
  }
  if (task.ok() && task->status != TaskStatus::kStopped) {
    return absl::FailedPreconditionError(
        absl::StrCat("resetting container ", container_id, ": it runs"));
  }
  return Explain(removal_.ClearTask(container_id), "resetting container ", container_id);
}

absl::Status ContainerdRuntime::CheckRuns(const std::string& container_id) {
  ASSIGN_OR_RETURN(const TaskInfo task, tasks_.Get(container_id, Within(options_.call_timeout)));
  if (task.status == TaskStatus::kUnknown) {
    return absl::UnavailableError("its shim does not answer");
  }
  return task.status == TaskStatus::kCreated || task.status == TaskStatus::kStopped
             ? absl::NotFoundError("the container does not run")
             : absl::OkStatus();
}

absl::StatusOr<ExecResult> ContainerdRuntime::Exec(const ExecSpec& spec) {
  const std::string doing =
      absl::StrCat("running '", spec.arguments.empty() ? "" : spec.arguments[0], "' in container ",
                   spec.container_id);
  const auto record = containers_.Get(spec.container_id, Within(options_.call_timeout));
  if (!record.ok()) return Explain(record.status(), doing);
  const absl::Status runs = CheckRuns(spec.container_id);
  if (!runs.ok()) return Explain(runs, doing);
  absl::StatusOr<ExecResult> result = exec_.Run(spec, record->oci_spec_json);
  if (absl::IsDeadlineExceeded(result.status())) return Annotate(result.status(), doing);
  const absl::Status status = ToRuntimeStatus(result.status());
  // Refused or killed because the container has ended, so it is not the command's result.
  const bool is_doubtful =
      result.ok() ? result->exit_code == 128 + SIGKILL : absl::IsFailedPrecondition(status);
  if (is_doubtful) {
    const absl::Status still_runs = CheckRuns(spec.container_id);
    if (!still_runs.ok()) return Explain(still_runs, doing);
  }
  if (!status.ok()) return Annotate(status, doing);
  return result;
}

absl::Status ContainerdRuntime::Remove(const std::string& container_id) {
  const absl::Status record = containers_.Get(container_id, Within(options_.call_timeout)).status();
  if (record.code() == absl::StatusCode::kNotFound) {
    const absl::Status adopted = removal_.AdoptOrphan(container_id);
    if (!adopted.ok()) return Explain(adopted, "looking for a task of ", container_id);
  } else if (!record.ok()) {
    return Explain(record, "removing container ", container_id);
  }
  const absl::Status killed = removal_.KillTask(container_id);
  if (!killed.ok()) return Explain(killed, "killing container ", container_id);
  const absl::Status task = removal_.ClearTask(container_id);
  if (!task.ok()) return Explain(task, "deleting the task of container ", container_id);
  const absl::Status deleted =
      OkIfNotFound(containers_.Delete(container_id, Within(options_.call_timeout)));
  if (!deleted.ok()) return Explain(deleted, "deleting container ", container_id);
  return Explain(OkIfNotFound(snapshots_.Remove(container_id, Within(options_.call_timeout))),
                 "removing the rootfs of container ", container_id);
}

absl::StatusOr<std::vector<ContainerInfo>> ContainerdRuntime::List() {
  const auto records = containers_.List({}, Within(options_.call_timeout));
  if (!records.ok()) return Explain(records.status(), "listing containers");
  const auto tasks = tasks_.List(Within(options_.create_timeout));
  if (!tasks.ok()) return Explain(tasks.status(), "listing tasks");
  std::map<std::string, ContainerInfo> infos;
  for (const Container& record : *records) {
    infos[record.id] = {.id = record.id, .labels = record.labels};
  }
  for (const TaskInfo& task : *tasks) {
    ContainerInfo& info = infos[task.container_id];
    info.id = task.container_id;
    SetState(task, &info);
  }
  std::vector<ContainerInfo> result;
  for (auto& [id, info] : infos) result.push_back(std::move(info));
  return result;
}

void ContainerdRuntime::Watch(std::function<void(const RuntimeEvent&)> sink) {
  events_ = std::make_unique<containerd::Events>(
      client_, [sink = std::move(sink)](const containerd::Event& event) {
        if (const auto runtime_event = ToRuntimeEvent(event)) sink(*runtime_event);
      });
}

absl::StatusOr<std::string> ContainerdRuntime::Version() {
  const absl::StatusOr<std::string> version = client_->Version();
  if (!version.ok()) return ToRuntimeStatus(version.status());
  return absl::StrCat("containerd ", *version);
}

}  // namespace davit::runtime
