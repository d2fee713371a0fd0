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
  int fault_steps = 600;  // with faults and new work; what follows is without
  Bug bug = Bug::kNone;
  // Told of every choice, one line each; null: nobody listens.
  std::function<void(const std::string&)> trace;
};

struct Result {
  std::string failure;  // what went wrong; empty: nothing
  uint64_t steps = 0;
  absl::Duration time;  // that passed for the world
  int tasks = 0;        // that were run
  int faults = 0;
};

// One history of a cluster: a real controller loop and real agents on one to three hosts, all on
// fake time, one thing at a time, in an order that the seed chooses. First tasks are run and
// stopped while things fail; then nothing fails, and everything must come to what is wanted of it;
// then all is stopped, and nothing may be left. The witness judges after each step.
// Single-threaded.
class Simulation {
 public:
  explicit Simulation(Options options);
  ~Simulation();
  Result Run();

 private:
  // Of a program that was killed, until systemd has started it again.
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

  // One thing happens, or time passes until something can.
  void Step();
  bool RunSomethingReady();
  void PassTime();
  void LetPass(absl::Duration time);
  // Until `is_done`, which is looked at when nothing is ready; a failure if that takes too long.
  void RunUntil(const std::string& goal, const std::function<std::string()>& what_is_missing);

  void Disturb();
  void Inflict(Fault fault, const std::string& name);
  void InflictOnHost(Fault fault, const std::string& name, size_t host);
  void Partition(size_t host);
  // As somebody might who sets it by hand: by seconds or by days.
  absl::Duration RandomJump();
  // The task was placed on the instance that this host is now.
  bool IsOn(size_t host, const v1::StoredTask& row) const;
  // A message that nobody has sent, of those that the protocol allows.
  void SayNonsense(size_t host);
  // Another agent says that it is this host.
  void AddTwin(size_t host, absl::Duration length);
  void Heal();
  // At that time from now, unless the history is over.
  void Later(absl::Duration delay, Work work);

  // As systemd does: until it stays.
  void StartController();
  void RegisterDefinitions();
  void MakeWork();
  void RunTask();
  void StopTask(const std::string& arn);
  void StopAll();

  // "" or what is not yet as it shall be.
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
  Process world_;  // ends faults, starts programs again
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
