#ifndef DAVIT_AGENT_RUNTIME_FAKE_RUNTIME_H_
#define DAVIT_AGENT_RUNTIME_FAKE_RUNTIME_H_

#include <limits>
#include <set>

#include "agent/runtime/call_faults.h"
#include "agent/runtime/fake_events.h"
#include "agent/runtime/runtime.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"

namespace davit::runtime {

// A container runtime in memory, for tests and the simulation: behaves as ContainerdRuntime does
// (one contract suite runs on both), and does what it is told to. Thread-safe. Calls do not block,
// unless Hold() was called. Events are posted to the executor given, in order, one at a time.
// It is the world, not the agent: when an agent "restarts", the new one calls Watch() again.
class FakeRuntime final : public Runtime {
 public:
  using Verb = RuntimeVerb;

  // Both outlive this object.
  FakeRuntime(const Clock* clock, Executor* events);

  absl::Status CreateLease(const std::string& lease,
                           const std::map<std::string, std::string>& labels) override;
  absl::Status RemoveLease(const std::string& lease) override;
  absl::StatusOr<std::vector<std::string>> ListLeases() override;
  absl::StatusOr<Rootfs> PrepareRootfs(const std::string& container_id, const std::string& lease,
                                       const std::string& chain_id) override;
  absl::Status Create(const ContainerSpec& spec) override;
  absl::StatusOr<int> Start(const std::string& container_id) override;
  absl::Status Signal(const std::string& container_id, int signal_number, bool all) override;
  absl::StatusOr<ContainerInfo> Inspect(const std::string& container_id) override;
  absl::Status Reset(const std::string& container_id) override;
  absl::StatusOr<ExecResult> Exec(const ExecSpec& spec) override;
  absl::Status Remove(const std::string& container_id) override;
  absl::StatusOr<std::vector<ContainerInfo>> List() override;
  void Watch(std::function<void(const RuntimeEvent&)> sink) override;
  absl::StatusOr<std::string> Version() override;

  // What happens in the world. Those on a container do nothing unless it runs.
  void Exit(const std::string& container_id, int exit_code);
  // The kernel kills the main process for memory: kOutOfMemory, then kExited with 137.
  void RunOutOfMemory(const std::string& container_id);
  // Its shim dies: the process is killed, the task forgotten, as containerd does.
  void KillShim(const std::string& container_id);
  // False: every call is Unavailable and no event comes, but containers live on. True: as before.
  void SetReachable(bool is_reachable);
  // The host restarts: no task is left, records, snapshots and leases are. Told as a lost and
  // regained connection.
  void Reboot();

  // How later containers behave. `on_start` is asked at each Start(): a code ends the process at
  // once, nullopt lets it run. It must not call back.
  void SetOnStart(std::function<std::optional<int>(const ContainerSpec&)> on_start);
  // Asked how each command in a running container ends; without it, with 0 and no output. It must
  // not call back.
  void SetOnExec(std::function<absl::StatusOr<ExecResult>(const ExecSpec&)> on_exec);
  // Told of each process that ends, and how, even while the runtime cannot be reached. Reboot() is
  // not told. It must not call back.
  void SetOnEnd(std::function<void(const std::string& container_id, int exit_code)> on_end);
  // Processes outlive this signal (SIGKILL cannot be ignored). Others end them with 128 + signal.
  void IgnoreSignal(int signal_number);
  // PrepareRootfs() says NotFound for this chain. All others are there.
  void ForgetChain(const std::string& chain_id);

  // How calls fare: see CallFaults.
  void FailNext(Verb verb, const absl::Status& status, int count = 1) {
    faults_.FailNext(verb, status, count);
  }
  void LoseNextAnswer(Verb verb) { faults_.LoseNextAnswer(verb); }
  void Hold(Verb verb, int count = std::numeric_limits<int>::max()) { faults_.Hold(verb, count); }
  void Release(Verb verb) { faults_.Release(verb); }
  int HeldCalls() const { return faults_.HeldCalls(); }
  int CallCount(Verb verb) const { return faults_.CallCount(verb); }

  // For assertions.
  // How often the container's process was let go, over all its lives. Survives Remove().
  int StartCount(const std::string& container_id) const;
  std::vector<int> Signals(const std::string& container_id) const;
  // Commands that were begun in the container. Survives Remove().
  int ExecCount(const std::string& container_id) const;
  std::vector<std::string> Snapshots() const;
  // nullopt: there is none. Also while it cannot be reached.
  std::optional<ContainerSpec> FindSpec(const std::string& container_id) const;
  std::optional<ContainerInfo> FindInfo(const std::string& container_id) const;

 private:
  // All that exists by one container id.
  struct Box {
    std::optional<ContainerSpec> spec;  // the record
    std::string lease;                  // of the snapshot
    bool has_snapshot = false;
    ContainerInfo info;
    std::vector<int> signals;
  };

  // CallFaults::Enter(), and whether the runtime can be reached.
  absl::Status Enter(Verb verb) ABSL_LOCKS_EXCLUDED(mu_);
  Box* FindRecord(const std::string& container_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void End(Box* box, int exit_code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status StartProcess(Box* box) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Queues an event; FakeEvents::Deliver(), once mu_ is free, has it sent.
  void Emit(const RuntimeEvent& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock* const clock_;
  FakeEvents events_;
  CallFaults faults_;
  mutable Mutex mu_;
  std::map<std::string, Box> boxes_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int> start_counts_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int> exec_counts_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> leases_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> forgotten_chains_ ABSL_GUARDED_BY(mu_);
  std::set<int> ignored_signals_ ABSL_GUARDED_BY(mu_);
  std::function<std::optional<int>(const ContainerSpec&)> on_start_ ABSL_GUARDED_BY(mu_);
  std::function<absl::StatusOr<ExecResult>(const ExecSpec&)> on_exec_ ABSL_GUARDED_BY(mu_);
  std::function<void(const std::string&, int)> on_end_ ABSL_GUARDED_BY(mu_);
  int next_pid_ ABSL_GUARDED_BY(mu_) = 1000;
  bool is_reachable_ ABSL_GUARDED_BY(mu_) = true;
};

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_FAKE_RUNTIME_H_
