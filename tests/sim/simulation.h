#ifndef DAVIT_TESTS_SIM_SIMULATION_H_
#define DAVIT_TESTS_SIM_SIMULATION_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/control_plane.h"
#include "tests/sim/host.h"

namespace davit::sim {

struct Options {
  uint64_t seed = 1;
  int fault_steps = 600;  // steps with faults and new work; the rest has none
  Bug bug = Bug::kNone;
  // Gets a line for every choice; null: no trace.
  std::function<void(const std::string&)> trace;
};

struct Result {
  std::string failure;  // the failure; empty: none
  uint64_t steps = 0;
  absl::Duration time;  // simulated time that passed
  int tasks = 0;        // that were run
  int faults = 0;
};

// One history of a cluster: a real controller loop and real agents on one to three hosts.
// Everything runs on fake time, one step at a time, in an order that the seed chooses. First, tasks
// run and stop while things fail. Then nothing fails, and everything must reach its goal. Then all
// tasks are stopped, and nothing may be left. The witness checks after each step. Single-threaded.
class Simulation {
 public:
  explicit Simulation(Options options);
  ~Simulation();
  Result Run();

 private:
  // The time until systemd restarts a killed program.
  static constexpr absl::Duration kLongestAbsence = absl::Seconds(20);

  enum class Fault {
    kKillAgent,
    kKillAgentInCall,
    kReboot,
    kKillController,
    kKillControllerInCommit,
    kFailCommits,
    kLoseRuntime,
    kFailCalls,
    kKillShim,
    kOutOfMemory,
    kStallPool,
    kPauseAgent,
    kPauseController,
    kHoldDisk,
    kCut,
    kPartition,
    kDuplicate,
    kLoseStore,
    kDamageStore,
    kCloneDisk,
    kSetClock,
    kSetControllerClock,
    kSayNonsense,
    kTwin
  };

  // Does one step, or lets time pass until a step is possible.
  void Step();
  bool RunSomethingReady();
  void PassTime();
  void LetPass(absl::Duration time);
  // Runs until `is_done`, which is checked when no step is ready. Fails if that takes too long.
  void RunUntil(const std::string& goal, const std::function<std::string()>& what_is_missing);

  void Disturb();
  void Inflict(Fault fault, const std::string& name);
  void InflictOnHost(Fault fault, const std::string& name, size_t host);
  void Partition(size_t host);
  // Sets a wall clock by seconds or days, like a person.
  absl::Duration RandomJump();
  // The task was placed on the instance that this host is now.
  bool IsOn(size_t host, const v1::StoredTask& row) const;
  // An unsolicited message that the protocol allows.
  void SayNonsense(size_t host);
  // Another agent claims this host's identity.
  void AddTwin(size_t host, absl::Duration length);
  void Heal();
  // At that time from now, unless the history is over.
  void Later(absl::Duration delay, Work work);

  // Like systemd: retries until the program stays up.
  void StartController();
  void RegisterDefinitions();
  void MakeWork();
  void RunTask();
  void StopTask(const std::string& arn);
  void StopAll();

  // "" or the first condition that does not hold yet.
  std::string WhatHasNotSettled() const;
  std::string WhatIsWrongWith(const std::string& id, const v1::StoredContainer& told) const;
  // A client asks for one of the tasks.
  void ReadTask();
  std::string WhatIsLeft() const;
  void Fail(const std::string& what);
  void Say(const std::string& what);

  const Options options_;
  Random random_;
  test::FakeClock clock_;
  Process world_;  // ends faults and restarts programs
  Network network_;
  Witness witness_;
  std::string state_dir_;
  ControlPlane control_plane_;
  std::vector<std::unique_ptr<Host>> hosts_;
  double fault_rate_ = 0;
  int requests_ = 0;
  size_t definitions_known_ = 0;
  Result result_;
};

// Runs a history and, if it fails, runs it again with its trace kept: the report has what failed,
// the last lines of the trace and the command that repeats it. Empty: it did not fail.
std::string Explain(const Options& options, const Result& result);

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_SIMULATION_H_
