#ifndef DAVIT_TESTS_SIM_HOST_H_
#define DAVIT_TESTS_SIM_HOST_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/network/fake_network.h"
#include "agent/resource/fake_task_cgroups.h"
#include "agent/runtime/fake_runtime.h"
#include "agent/store/memory_store.h"
#include "agent/supervisor/task_files.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/interference.h"
#include "tests/sim/network.h"
#include "tests/sim/process.h"
#include "tests/sim/witness.h"

namespace davit::sim {

// A container host: its runtime, cgroups, networks and disk, which last, the programs in its
// containers, and the agent, which comes and goes: a real supervisor, its effects and its session.
// Single-threaded.
class Host {
 public:
  struct Deps {
    test::FakeClock* clock;
    Network* network;
    Witness* witness;
    std::string state_dir;  // of this host only
    Bug bug = Bug::kNone;
  };
  // Borrowed: all of Deps.
  Host(size_t number, const Deps& deps, Random random);
  ~Host();

  // The agent's process begins. Nothing if it runs.
  void StartAgent();
  // kill -9: gone with all that was not written; containers live on.
  void CrashAgent();
  // Power is lost and comes back: all processes are gone, records and files are not. No agent runs.
  void Reboot();
  // The agent is killed, and has forgotten everything when it comes again: the whole state folder,
  // or, if its database was damaged, some of its records.
  void LoseStore(bool is_everything);
  // The agent is killed, and the host is another EC2 instance from now on: its disk was cloned.
  void BecomeAnotherInstance();
  // The EC2 instance that it is now.
  std::string InstanceId() const;
  // How its agent introduces itself.
  v1::Hello Hello() const;
  // Null: it does not run.
  Process* agent_process();
  // Of the agent that runs; null if none does.
  Interference* interference();
  // The agent has writes that are not durable yet, and they may become so now.
  bool can_sync() const;
  void Sync();
  // Nothing becomes durable until then.
  void HoldDisk(absl::Duration until) { disk_held_until_ = until; }
  absl::Duration disk_held_until() const { return disk_held_until_; }

  runtime::FakeRuntime* runtime() { return &runtime_; }
  HostClock* clock() { return &clock_; }
  // Programs do not get well or ill any more, and health checks are answered.
  void CalmDown() { is_calm_ = true; }
  // What the container's health checks find.
  bool IsWell(const std::string& container_id) const { return !ill_.contains(container_id); }
  // What lives on without the agent: programs, and the runtime's events.
  Process* world() { return &world_; }
  // The kernel kills the container's main process for memory.
  void RunOutOfMemory(const std::string& container_id);
  void KillShim(const std::string& container_id);

  // All that is there for tasks of this host's: one line each, empty if nothing is. What carries
  // the label of an instance that it was and has forgotten is another agent's, for all that can be
  // known. The runtime must be reachable.
  std::vector<std::string> WhatIsOwned();

 private:
  struct Agent;
  std::optional<int> OnStart(const runtime::ContainerSpec& spec);
  void ChangeHealth(const std::string& container_id);
  absl::StatusOr<runtime::ExecResult> OnExec(const runtime::ExecSpec& spec);
  void KillContainerOf(const std::string& cgroup_path);

  const size_t number_;
  const Deps deps_;
  Random random_;
  HostClock clock_;
  Process world_;
  runtime::FakeRuntime runtime_;
  resource::FakeTaskCgroups cgroups_;
  network::FakeNetwork containers_network_;
  store::MemoryStore disk_;
  const supervisor::TaskFiles files_;
  std::set<std::string> ill_;  // containers whose health checks fail
  bool is_calm_ = false;
  int instances_ = 1;
  std::set<std::string> known_as_;  // instances whose labels its agents know to be their own
  int boots_ = 1;
  int agents_started_ = 0;
  absl::Duration disk_held_until_ = absl::ZeroDuration();
  std::unique_ptr<Agent> agent_;
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_HOST_H_
