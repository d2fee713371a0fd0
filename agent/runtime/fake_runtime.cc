#include "agent/runtime/fake_runtime.h"

#include <csignal>
#include <utility>

#include "base/status.h"

namespace davit::runtime {
namespace {

using Kind = RuntimeEvent::Kind;

absl::Status NoSuchContainer(const std::string& container_id) {
  return absl::NotFoundError(absl::StrCat("container ", container_id, ": not found"));
}

// Signals that do nothing by default. Source: signal(7).
bool IsHarmless(int signal_number) {
  return signal_number == 0 || signal_number == SIGCHLD || signal_number == SIGCONT ||
         signal_number == SIGURG || signal_number == SIGWINCH;
}

bool HasProcess(const ContainerInfo& info) {
  return info.state == ContainerState::kCreated || info.state == ContainerState::kRunning;
}

}  // namespace

FakeRuntime::FakeRuntime(const Clock* clock, Executor* events) : clock_(clock), events_(events) {}

absl::Status FakeRuntime::Enter(Verb verb) {
  RETURN_IF_ERROR(faults_.Enter(verb));
  const MutexLock lock(&mu_);
  if (!is_reachable_) return absl::UnavailableError("the runtime cannot be reached");
  return absl::OkStatus();
}

FakeRuntime::Box* FakeRuntime::FindRecord(const std::string& container_id) {
  const auto found = boxes_.find(container_id);
  return found == boxes_.end() || !found->second.spec.has_value() ? nullptr : &found->second;
}

void FakeRuntime::End(Box* box, int exit_code) {
  if (!HasProcess(box->info)) return;
  if (on_end_) on_end_(box->info.id, exit_code);
  box->info.state = ContainerState::kStopped;
  box->info.pid = 0;
  box->info.exit_code = exit_code;
  box->info.exited_at = clock_->Now();
  Emit({Kind::kExited, box->info.id, exit_code, box->info.exited_at});
}

void FakeRuntime::Emit(const RuntimeEvent& event) {
  const bool is_about_connection =
      event.kind == Kind::kConnected || event.kind == Kind::kDisconnected;
  if (!is_reachable_ && !is_about_connection) return;
  events_.Add(event);
}

absl::Status FakeRuntime::CreateLease(const std::string& lease,
                                      const std::map<std::string, std::string>& /*labels*/) {
  RETURN_IF_ERROR(Enter(Verb::kCreateLease));
  MutexLock lock(&mu_);
  leases_.insert(lease);
  return faults_.Leave(Verb::kCreateLease);
}

absl::Status FakeRuntime::RemoveLease(const std::string& lease) {
  RETURN_IF_ERROR(Enter(Verb::kRemoveLease));
  MutexLock lock(&mu_);
  if (leases_.erase(lease) > 0) {
    // What only the lease held is garbage now.
    std::erase_if(boxes_, [&](const auto& entry) {
      return entry.second.lease == lease && !entry.second.spec.has_value();
    });
  }
  return faults_.Leave(Verb::kRemoveLease);
}

absl::StatusOr<std::vector<std::string>> FakeRuntime::ListLeases() {
  RETURN_IF_ERROR(Enter(Verb::kListLeases));
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(faults_.Leave(Verb::kListLeases));
  return std::vector<std::string>(leases_.begin(), leases_.end());
}

absl::StatusOr<Rootfs> FakeRuntime::PrepareRootfs(const std::string& container_id,
                                                  const std::string& lease,
                                                  const std::string& chain_id) {
  RETURN_IF_ERROR(Enter(Verb::kPrepareRootfs));
  MutexLock lock(&mu_);
  if (!leases_.contains(lease)) {
    return absl::NotFoundError(absl::StrCat("lease ", lease, ": not found"));
  }
  if (forgotten_chains_.contains(chain_id)) {
    return absl::NotFoundError(absl::StrCat("chain ", chain_id, " is not unpacked"));
  }
  Box& box = boxes_[container_id];
  box.info.id = container_id;
  box.lease = lease;
  box.has_snapshot = true;
  RETURN_IF_ERROR(faults_.Leave(Verb::kPrepareRootfs));
  return Rootfs{container_id, {}};
}

absl::Status FakeRuntime::Create(const ContainerSpec& spec) {
  RETURN_IF_ERROR(Enter(Verb::kCreate));
  MutexLock lock(&mu_);
  const auto found = boxes_.find(spec.id);
  if (found == boxes_.end() || !found->second.has_snapshot) {
    return absl::FailedPreconditionError(
        absl::StrCat("creating container ", spec.id, ": its rootfs was not prepared"));
  }
  Box& box = found->second;
  if (box.info.state == ContainerState::kRunning || box.info.state == ContainerState::kStopped) {
    return absl::AlreadyExistsError(
        absl::StrCat("creating container ", spec.id, ": it was started before"));
  }
  if (box.info.state == ContainerState::kAbsent) {
    box.spec = spec;
    box.info = {.id = spec.id,
                .labels = spec.labels,
                .state = ContainerState::kCreated,
                .pid = next_pid_++};
  }
  return faults_.Leave(Verb::kCreate);
}

absl::StatusOr<int> FakeRuntime::Start(const std::string& container_id) {
  absl::StatusOr<int> pid = 0;
  {
    RETURN_IF_ERROR(Enter(Verb::kStart));
    MutexLock lock(&mu_);
    Box* const box = FindRecord(container_id);
    if (box == nullptr) return NoSuchContainer(container_id);
    pid = box->info.pid;
    RETURN_IF_ERROR(StartProcess(box), "starting container ", container_id);
    if (absl::Status lost = faults_.Leave(Verb::kStart); !lost.ok()) pid = lost;
  }
  events_.Deliver();
  return pid;
}

absl::Status FakeRuntime::StartProcess(Box* box) {
  switch (box->info.state) {
    case ContainerState::kAbsent:
      return absl::FailedPreconditionError("it was not created");
    case ContainerState::kRunning:
    case ContainerState::kStopped:
      return absl::AlreadyExistsError("it was started before");
    case ContainerState::kUnknown:  // a fake always knows
    case ContainerState::kCreated:
      break;
  }
  box->info.state = ContainerState::kRunning;
  ++start_counts_[box->info.id];
  const std::optional<int> exit_code = on_start_ ? on_start_(*box->spec) : std::nullopt;
  if (exit_code.has_value()) End(box, *exit_code);
  return absl::OkStatus();
}

absl::Status FakeRuntime::Signal(const std::string& container_id, int signal_number, bool all) {
  absl::Status answer;
  {
    RETURN_IF_ERROR(Enter(Verb::kSignal));
    MutexLock lock(&mu_);
    Box* const box = FindRecord(container_id);
    if (box == nullptr) return NoSuchContainer(container_id);
    if (!HasProcess(box->info)) {
      if (all && box->info.state == ContainerState::kStopped) return absl::OkStatus();
      return absl::NotFoundError(absl::StrCat("container ", container_id, " has no process"));
    }
    box->signals.push_back(signal_number);
    const bool is_ignored = signal_number != SIGKILL && ignored_signals_.contains(signal_number);
    if (!is_ignored && !IsHarmless(signal_number)) End(box, 128 + signal_number);
    answer = faults_.Leave(Verb::kSignal);
  }
  events_.Deliver();
  return answer;
}

absl::StatusOr<ContainerInfo> FakeRuntime::Inspect(const std::string& container_id) {
  RETURN_IF_ERROR(Enter(Verb::kInspect));
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(faults_.Leave(Verb::kInspect));
  const Box* const box = FindRecord(container_id);
  if (box == nullptr) return NoSuchContainer(container_id);
  return box->info;
}

absl::Status FakeRuntime::Reset(const std::string& container_id) {
  RETURN_IF_ERROR(Enter(Verb::kReset));
  MutexLock lock(&mu_);
  if (Box* const box = FindRecord(container_id); box != nullptr) {
    if (box->info.state == ContainerState::kRunning) {
      return absl::FailedPreconditionError(
          absl::StrCat("resetting container ", container_id, ": it runs"));
    }
    if (box->info.state == ContainerState::kStopped) {
      box->info = {.id = container_id, .labels = box->info.labels};
    }
  }
  return faults_.Leave(Verb::kReset);
}

absl::StatusOr<ExecResult> FakeRuntime::Exec(const ExecSpec& spec) {
  RETURN_IF_ERROR(Enter(Verb::kExec));
  MutexLock lock(&mu_);
  const Box* const box = FindRecord(spec.container_id);
  if (box == nullptr) return NoSuchContainer(spec.container_id);
  if (box->info.state != ContainerState::kRunning) {
    return absl::NotFoundError(absl::StrCat("container ", spec.container_id, " does not run"));
  }
  ++exec_counts_[spec.container_id];
  absl::StatusOr<ExecResult> result = on_exec_ ? on_exec_(spec) : ExecResult();
  RETURN_IF_ERROR(faults_.Leave(Verb::kExec));
  if (result.ok() && result->output.size() > spec.max_output_bytes) {
    result->output.erase(0, result->output.size() - spec.max_output_bytes);
  }
  return result;
}

absl::Status FakeRuntime::Remove(const std::string& container_id) {
  absl::Status answer;
  {
    RETURN_IF_ERROR(Enter(Verb::kRemove));
    MutexLock lock(&mu_);
    if (Box* const box = FindRecord(container_id); box != nullptr) {
      End(box, 128 + SIGKILL);
      Emit({.kind = Kind::kRemoved, .container_id = container_id});
    }
    boxes_.erase(container_id);
    answer = faults_.Leave(Verb::kRemove);
  }
  events_.Deliver();
  return answer;
}

absl::StatusOr<std::vector<ContainerInfo>> FakeRuntime::List() {
  RETURN_IF_ERROR(Enter(Verb::kList));
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(faults_.Leave(Verb::kList));
  std::vector<ContainerInfo> infos;
  for (const auto& [id, box] : boxes_) {
    if (box.spec.has_value()) infos.push_back(box.info);
  }
  return infos;
}

void FakeRuntime::Watch(std::function<void(const RuntimeEvent&)> sink) {
  {
    MutexLock lock(&mu_);
    events_.SetSink(std::move(sink));
    Emit({.kind = is_reachable_ ? Kind::kConnected : Kind::kDisconnected});
  }
  events_.Deliver();
}

absl::StatusOr<std::string> FakeRuntime::Version() {
  RETURN_IF_ERROR(Enter(Verb::kVersion));
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(faults_.Leave(Verb::kVersion));
  return "fake 1.0";
}

void FakeRuntime::Exit(const std::string& container_id, int exit_code) {
  {
    MutexLock lock(&mu_);
    Box* const box = FindRecord(container_id);
    if (box != nullptr && box->info.state == ContainerState::kRunning) End(box, exit_code);
  }
  events_.Deliver();
}

void FakeRuntime::RunOutOfMemory(const std::string& container_id) {
  {
    MutexLock lock(&mu_);
    Box* const box = FindRecord(container_id);
    if (box == nullptr || box->info.state != ContainerState::kRunning) return;
    Emit({.kind = Kind::kOutOfMemory, .container_id = container_id});
    End(box, 128 + SIGKILL);
  }
  events_.Deliver();
}

void FakeRuntime::KillShim(const std::string& container_id) {
  {
    MutexLock lock(&mu_);
    Box* const box = FindRecord(container_id);
    if (box == nullptr) return;
    End(box, 128 + SIGKILL);
    box->info = {.id = container_id, .labels = box->info.labels};
  }
  events_.Deliver();
}

void FakeRuntime::SetReachable(bool is_reachable) {
  {
    MutexLock lock(&mu_);
    if (is_reachable_ == is_reachable) return;
    is_reachable_ = is_reachable;
    Emit({.kind = is_reachable ? Kind::kConnected : Kind::kDisconnected});
  }
  events_.Deliver();
}

void FakeRuntime::Reboot() {
  SetReachable(false);
  {
    MutexLock lock(&mu_);
    for (auto& [id, box] : boxes_) {
      box.info = {.id = id, .labels = box.info.labels};
    }
  }
  SetReachable(true);
}

void FakeRuntime::SetOnStart(std::function<std::optional<int>(const ContainerSpec&)> on_start) {
  MutexLock lock(&mu_);
  on_start_ = std::move(on_start);
}

void FakeRuntime::SetOnExec(std::function<absl::StatusOr<ExecResult>(const ExecSpec&)> on_exec) {
  MutexLock lock(&mu_);
  on_exec_ = std::move(on_exec);
}

void FakeRuntime::SetOnEnd(std::function<void(const std::string&, int)> on_end) {
  MutexLock lock(&mu_);
  on_end_ = std::move(on_end);
}

void FakeRuntime::IgnoreSignal(int signal_number) {
  MutexLock lock(&mu_);
  ignored_signals_.insert(signal_number);
}

void FakeRuntime::ForgetChain(const std::string& chain_id) {
  MutexLock lock(&mu_);
  forgotten_chains_.insert(chain_id);
}

int FakeRuntime::StartCount(const std::string& container_id) const {
  MutexLock lock(&mu_);
  const auto found = start_counts_.find(container_id);
  return found == start_counts_.end() ? 0 : found->second;
}

int FakeRuntime::ExecCount(const std::string& container_id) const {
  MutexLock lock(&mu_);
  const auto found = exec_counts_.find(container_id);
  return found == exec_counts_.end() ? 0 : found->second;
}

std::vector<int> FakeRuntime::Signals(const std::string& container_id) const {
  MutexLock lock(&mu_);
  const auto found = boxes_.find(container_id);
  return found == boxes_.end() ? std::vector<int>() : found->second.signals;
}

std::vector<std::string> FakeRuntime::Snapshots() const {
  MutexLock lock(&mu_);
  std::vector<std::string> ids;
  for (const auto& [id, box] : boxes_) {
    if (box.has_snapshot) ids.push_back(id);
  }
  return ids;
}

std::optional<ContainerSpec> FakeRuntime::FindSpec(const std::string& container_id) const {
  MutexLock lock(&mu_);
  const auto found = boxes_.find(container_id);
  return found == boxes_.end() ? std::nullopt : found->second.spec;
}

std::optional<ContainerInfo> FakeRuntime::FindInfo(const std::string& container_id) const {
  MutexLock lock(&mu_);
  const auto found = boxes_.find(container_id);
  const bool is_there = found != boxes_.end() && found->second.spec.has_value();
  return is_there ? std::optional(found->second.info) : std::nullopt;
}

}  // namespace davit::runtime
