#ifndef DAVIT_TESTS_SIM_CONTROL_PLANE_H_
#define DAVIT_TESTS_SIM_CONTROL_PLANE_H_

#include <memory>

#include "controller/loop/agent_sessions.h"
#include "controller/loop/loop.h"
#include "controller/store/memory_store.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/interference.h"
#include "tests/sim/network.h"
#include "tests/sim/process.h"
#include "tests/sim/witness.h"

namespace davit::sim {

// Long enough for every task of a history to be looked at in the end.
inline constexpr absl::Duration kStoppedRetention = absl::Hours(24);

// The controller: its disk, which lasts, and its process, which comes and goes: the real loop and
// sessions on fake time. Single-threaded.
class ControlPlane {
 public:
  // All borrowed.
  ControlPlane(test::FakeClock* clock, Network* network, Witness* witness, Random random, Bug bug);
  ~ControlPlane();

  // The process begins, if none runs. False: it ended at once, because its disk failed or it was
  // killed.
  bool Start();
  // It is gone, with all that was not committed.
  void Crash();
  // It dies at one of its next commits, before or after it is durable.
  void CrashAtCommit(int in_halves) { interference_.killed_in = in_halves; }
  // Null: it does not run.
  Process* process();
  void FailCommits(bool fail) { fail_commits_ = fail; }
  // Its machine's clocks.
  HostClock* clock() { return &clock_; }

  // An API request that changes the cluster: RunTaskRequest for "RunTask". `done` is never called
  // if the process dies before. Not while it does not run.
  void Submit(const std::string& operation,
              std::shared_ptr<const google::protobuf::Message> request,
              controller::loop::Done done);
  // What API requests that read would see. Not while it does not run.
  const controller::state::View& view() const;

 private:
  class Disk;
  class Sink;
  struct Running;

  std::optional<Connection::ControllerSide> Accept(const std::shared_ptr<Connection>& connection);

  test::FakeClock* const world_clock_;
  HostClock clock_;
  Network* const network_;
  Witness* const witness_;
  const Bug bug_;
  Random random_;
  Interference interference_;
  bool fail_commits_ = false;
  controller::store::MemoryStore rows_;
  std::unique_ptr<Running> running_;
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_CONTROL_PLANE_H_
