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

// Outlives the runtime: what was posted may run later.
struct FakeRuntime::Mailbox {
  Mutex mu;
  std::deque<RuntimeEvent> events ABSL_GUARDED_BY(mu);
  std::function<void(const RuntimeEvent&)> sink ABSL_GUARDED_BY(mu);
};

FakeRuntime::FakeRuntime(const Clock* clock, Executor* events)
    : clock_(clock), mailbox_(std::make_shared<Mailbox>()), events_(events) {}

FakeRuntime::~FakeRuntime() {
  MutexLock lock(&mailbox_->mu);
  mailbox_->sink = nullptr;
}

absl::Status FakeRuntime::Enter(Verb verb) {
  ++calls_[verb];
  if (const auto held = held_.find(verb); held != held_.end() && held->second > 0) {
    --held->second;
    ++held_calls_;
    while (held_.contains(verb)) released_.Wait(&mu_);
    --held_calls_;
  }
  if (std::deque<absl::Status>& failures = failures_[verb]; !failures.empty()) {
    const absl::Status failure = failures.front();
    failures.pop_front();
    return failure;
  }
  if (!is_reachable_) return absl::UnavailableError("the runtime cannot be reached");
  return absl::OkStatus();
}

absl::Status FakeRuntime::Leave(Verb verb) {
  if (lost_answers_.erase(verb) == 0) return absl::OkStatus();
  return absl::UnavailableError("the answer was lost");
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
  MutexLock lock(&mailbox_->mu);
  mailbox_->events.push_back(event);
}

void FakeRuntime::Deliver() {
  events_.Post([mailbox = mailbox_] {
    std::deque<RuntimeEvent> events;
    std::function<void(const RuntimeEvent&)> sink;
    {
      MutexLock lock(&mailbox->mu);
      if (!mailbox->sink) return;
      events.swap(mailbox->events);
      sink = mailbox->sink;
    }
    for (const RuntimeEvent& event : events) sink(event);
  });
}

absl::Status FakeRuntime::CreateLease(const std::string& lease,
                                      const std::map<std::string, std::string>& /*labels*/) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kCreateLease));
  leases_.insert(lease);
  return Leave(Verb::kCreateLease);
}

absl::Status FakeRuntime::RemoveLease(const std::string& lease) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kRemoveLease));
  if (leases_.erase(lease) > 0) {
    // What only the lease held is garbage now.
    std::erase_if(boxes_, [&](const auto& entry) {
      return entry.second.lease == lease && !entry.second.spec.has_value();
    });
  }
  return Leave(Verb::kRemoveLease);
}

absl::StatusOr<std::vector<std::string>> FakeRuntime::ListLeases() {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kListLeases));
  RETURN_IF_ERROR(Leave(Verb::kListLeases));
  return std::vector<std::string>(leases_.begin(), leases_.end());
}

absl::StatusOr<Rootfs> FakeRuntime::PrepareRootfs(const std::string& container_id,
                                                  const std::string& lease,
                                                  const std::string& chain_id) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kPrepareRootfs));
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
  RETURN_IF_ERROR(Leave(Verb::kPrepareRootfs));
  return Rootfs{container_id, {}};
}

absl::Status FakeRuntime::Create(const ContainerSpec& spec) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kCreate));
  const auto found = boxes_.find(spec.id);
  if (found == boxes_.end() || !found->second.has_snapshot) {
    return absl::FailedPreconditionError(
        absl::StrCat("creating container ", spec.id, ": its rootfs was not prepared"));
  }
  Box& box = found->second;
  if (box.info.state == ContainerState::kRunning || box.info.state == ContainerState::kStopped) {
    return absl::AlreadyExistsError(
        absl::StrCat("creating container ", spec.id, ": the container was started before"));
  }
  if (box.info.state == ContainerState::kAbsent) {
    box.spec = spec;
    box.info = {.id = spec.id,
                .labels = spec.labels,
                .state = ContainerState::kCreated,
                .pid = next_pid_++};
  }
  return Leave(Verb::kCreate);
}

absl::StatusOr<int> FakeRuntime::Start(const std::string& container_id) {
  absl::StatusOr<int> pid = 0;
  {
    MutexLock lock(&mu_);
    RETURN_IF_ERROR(Enter(Verb::kStart));
    Box* const box = FindRecord(container_id);
    if (box == nullptr) return NoSuchContainer(container_id);
    pid = box->info.pid;
    RETURN_IF_ERROR(StartProcess(box), "starting container ", container_id);
    if (absl::Status lost = Leave(Verb::kStart); !lost.ok()) pid = lost;
  }
  Deliver();
  return pid;
}

absl::Status FakeRuntime::StartProcess(Box* box) {
  switch (box->info.state) {
    case ContainerState::kAbsent:
      return absl::FailedPreconditionError("the container was not created");
    case ContainerState::kRunning:
    case ContainerState::kStopped:
      return absl::AlreadyExistsError("the container was started before");
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
    MutexLock lock(&mu_);
    RETURN_IF_ERROR(Enter(Verb::kSignal));
    Box* const box = FindRecord(container_id);
    if (box == nullptr) return NoSuchContainer(container_id);
    if (!HasProcess(box->info)) {
      if (all && box->info.state == ContainerState::kStopped) return absl::OkStatus();
      return absl::NotFoundError(absl::StrCat("container ", container_id, " has no process"));
    }
    box->signals.push_back(signal_number);
    const bool is_ignored = signal_number != SIGKILL && ignored_signals_.contains(signal_number);
    if (!is_ignored && !IsHarmless(signal_number)) End(box, 128 + signal_number);
    answer = Leave(Verb::kSignal);
  }
  Deliver();
  return answer;
}

absl::StatusOr<ContainerInfo> FakeRuntime::Inspect(const std::string& container_id) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kInspect));
  RETURN_IF_ERROR(Leave(Verb::kInspect));
  const Box* const box = FindRecord(container_id);
  if (box == nullptr) return NoSuchContainer(container_id);
  return box->info;
}

absl::Status FakeRuntime::Reset(const std::string& container_id) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kReset));
  if (Box* const box = FindRecord(container_id); box != nullptr) {
    if (box->info.state == ContainerState::kRunning) {
      return absl::FailedPreconditionError(
          absl::StrCat("resetting container ", container_id, ": the container runs"));
    }
    if (box->info.state == ContainerState::kStopped) {
      box->info = {.id = container_id, .labels = box->info.labels};
    }
  }
  return Leave(Verb::kReset);
}

absl::StatusOr<ExecResult> FakeRuntime::Exec(const ExecSpec& spec) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kExec));
  const Box* const box = FindRecord(spec.container_id);
  if (box == nullptr) return NoSuchContainer(spec.container_id);
  if (box->info.state != ContainerState::kRunning) {
    return absl::NotFoundError(absl::StrCat("container ", spec.container_id, " does not run"));
  }
  ++exec_counts_[spec.container_id];
  absl::StatusOr<ExecResult> result = on_exec_ ? on_exec_(spec) : ExecResult();
  RETURN_IF_ERROR(Leave(Verb::kExec));
  if (result.ok() && result->output.size() > spec.max_output_bytes) {
    result->output.erase(0, result->output.size() - spec.max_output_bytes);
  }
  return result;
}

absl::Status FakeRuntime::Remove(const std::string& container_id) {
  absl::Status answer;
  {
    MutexLock lock(&mu_);
    RETURN_IF_ERROR(Enter(Verb::kRemove));
    if (Box* const box = FindRecord(container_id); box != nullptr) {
      End(box, 128 + SIGKILL);
      Emit({.kind = Kind::kRemoved, .container_id = container_id});
    }
    boxes_.erase(container_id);
    answer = Leave(Verb::kRemove);
  }
  Deliver();
  return answer;
}

absl::StatusOr<std::vector<ContainerInfo>> FakeRuntime::List() {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kList));
  RETURN_IF_ERROR(Leave(Verb::kList));
  std::vector<ContainerInfo> infos;
  for (const auto& [id, box] : boxes_) {
    if (box.spec.has_value()) infos.push_back(box.info);
  }
  return infos;
}

void FakeRuntime::Watch(std::function<void(const RuntimeEvent&)> sink) {
  {
    MutexLock lock(&mu_);
    {
      MutexLock mailbox_lock(&mailbox_->mu);
      mailbox_->sink = std::move(sink);
      mailbox_->events.clear();
    }
    Emit({.kind = is_reachable_ ? Kind::kConnected : Kind::kDisconnected});
  }
  Deliver();
}

absl::StatusOr<std::string> FakeRuntime::Version() {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(Enter(Verb::kVersion));
  RETURN_IF_ERROR(Leave(Verb::kVersion));
  return "fake 1.0";
}

void FakeRuntime::Exit(const std::string& container_id, int exit_code) {
  {
    MutexLock lock(&mu_);
    Box* const box = FindRecord(container_id);
    if (box != nullptr && box->info.state == ContainerState::kRunning) End(box, exit_code);
  }
  Deliver();
}

void FakeRuntime::RunOutOfMemory(const std::string& container_id) {
  {
    MutexLock lock(&mu_);
    Box* const box = FindRecord(container_id);
    if (box == nullptr || box->info.state != ContainerState::kRunning) return;
    Emit({.kind = Kind::kOutOfMemory, .container_id = container_id});
    End(box, 128 + SIGKILL);
  }
  Deliver();
}

void FakeRuntime::KillShim(const std::string& container_id) {
  {
    MutexLock lock(&mu_);
    Box* const box = FindRecord(container_id);
    if (box == nullptr) return;
    End(box, 128 + SIGKILL);
    box->info = {.id = container_id, .labels = box->info.labels};
  }
  Deliver();
}

void FakeRuntime::SetReachable(bool is_reachable) {
  {
    MutexLock lock(&mu_);
    if (is_reachable_ == is_reachable) return;
    is_reachable_ = is_reachable;
    Emit({.kind = is_reachable ? Kind::kConnected : Kind::kDisconnected});
  }
  Deliver();
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

void FakeRuntime::FailNext(Verb verb, absl::Status status, int count) {
  MutexLock lock(&mu_);
  failures_[verb].insert(failures_[verb].end(), static_cast<size_t>(count), status);
}

void FakeRuntime::LoseNextAnswer(Verb verb) {
  MutexLock lock(&mu_);
  lost_answers_.insert(verb);
}

void FakeRuntime::Hold(Verb verb, int count) {
  MutexLock lock(&mu_);
  held_[verb] = count;
}

void FakeRuntime::Release(Verb verb) {
  {
    MutexLock lock(&mu_);
    held_.erase(verb);
  }
  released_.NotifyAll();
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

int FakeRuntime::CallCount(Verb verb) const {
  MutexLock lock(&mu_);
  const auto found = calls_.find(verb);
  return found == calls_.end() ? 0 : found->second;
}

int FakeRuntime::HeldCalls() const {
  MutexLock lock(&mu_);
  return held_calls_;
}

}  // namespace davit::runtime
