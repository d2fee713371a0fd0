// A call that hangs harms its own task only, and is named: on real threads.

#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/fake_host.h"

namespace davit::supervisor {
namespace {

using test::ContainerId;
using test::FakeHost;
using test::MakeAssignment;
using Verb = runtime::FakeRuntime::Verb;

constexpr int kHungTasks = 9;  // more than a pool has threads

v1::Assignment Stopped(v1::Assignment assignment) {
  assignment.set_desired_status(v1::TaskStatus::STOPPED);
  assignment.set_stop_reason("enough");
  return assignment;
}

// A fake host whose blocking work runs on lane pools, as in davit-agent.
struct ThreadedHost {
  ThreadedHost() {
    host.pools = {&host.executor, &runtime, &signal, &inspection, &image, &network, &health};
    host.StartAgent();
  }
  ~ThreadedHost() {
    for (LanePool* pool : {&runtime, &signal, &inspection, &image, &network, &health}) pool->Stop();
    host.StopAgent();
  }
  // Works off the mailboxes until the pools' threads have brought what is waited for.
  template <typename Condition>
  void Until(Condition condition) {
    while (!condition()) {
      if (!host.executor.RunOne()) std::this_thread::yield();
    }
  }
  void UntilStatus(const v1::Assignment& assignment, v1::TaskStatus::Value status) {
    Until([&] { return host.StateOf(assignment.task_arn()).last_status() == status; });
  }
  v1::Assignment Run(int number) {
    const v1::Assignment assignment = MakeAssignment(number);
    host.supervisor->Assign(assignment);
    UntilStatus(assignment, v1::TaskStatus::RUNNING);
    return assignment;
  }

  FakeHost host;
  const LanePool::Deps lanes{&host.clock, &host.timers, &host.executor, &host.calls};
  LanePool runtime{{.name = "runtime"}, lanes};
  LanePool signal{{.name = "signal"}, lanes};
  LanePool inspection{{.name = "inspection"}, lanes};
  LanePool image{{.name = "image"}, lanes};
  LanePool network{{.name = "network"}, lanes};
  LanePool health{{.name = "health"}, lanes};
};

// Stops kHungTasks tasks whose calls of this verb hang, then an innocent task, and waits until that
// one has stopped. Returns the hung ones.
std::vector<v1::Assignment> StopAnInnocentTaskBesideHung(Verb verb, ThreadedHost* threaded) {
  FakeHost& host = threaded->host;
  std::vector<v1::Assignment> hung;
  for (int i = 1; i <= kHungTasks; ++i) hung.push_back(threaded->Run(i));
  const v1::Assignment innocent = threaded->Run(100);
  host.runtime.Hold(verb, kHungTasks);
  for (const v1::Assignment& one : hung) host.supervisor->Assign(Stopped(one));
  threaded->Until([&] { return host.runtime.HeldCalls() == 8; });
  host.Pass(absl::Seconds(2));
  threaded->Until([&] { return host.runtime.HeldCalls() == kHungTasks; });
  host.supervisor->Assign(Stopped(innocent));
  threaded->UntilStatus(innocent, v1::TaskStatus::STOPPED);
  return hung;
}

TEST_CASE("hung tasks hold up neither the stop of another one nor a new one", "[hung_calls]") {
  const Verb verb = GENERATE(Verb::kCreateLease, Verb::kPrepareRootfs, Verb::kCreate, Verb::kStart);
  ThreadedHost threaded;
  FakeHost& host = threaded.host;
  const v1::Assignment innocent = threaded.Run(100);
  host.runtime.Hold(verb, kHungTasks);
  std::vector<v1::Assignment> hung;
  for (int i = 1; i <= kHungTasks; ++i) {
    hung.push_back(MakeAssignment(i));
    host.supervisor->Assign(hung.back());
  }
  threaded.Until([&] { return host.runtime.HeldCalls() == 8; });
  host.Pass(absl::Seconds(2));  // then others take the places of calls that take so long
  threaded.Until([&] { return host.runtime.HeldCalls() == kHungTasks; });

  host.supervisor->Assign(Stopped(innocent));
  threaded.UntilStatus(innocent, v1::TaskStatus::STOPPED);
  threaded.Run(101);

  // What hangs is named: to the user of each task, and to the host's operator.
  host.Pass(absl::Seconds(10));
  CHECK(host.supervisor->stuck_calls().size() == kHungTasks);
  for (const v1::Assignment& one : hung) {
    const v1::TaskState state = host.StateOf(one.task_arn());
    CHECK_THAT(state.waiting_reason(), Catch::StartsWith("a call on the host hangs: "));
    CHECK(state.last_status() < v1::TaskStatus::RUNNING);
    host.supervisor->Assign(Stopped(one));
  }
  host.Pass(absl::Minutes(5));
  for (const v1::Assignment& one : hung) {
    const v1::TaskState state = host.StateOf(one.task_arn());
    CHECK(state.last_status() == v1::TaskStatus::STOPPING);  // not STOPPED: who knows what is there
    CHECK_THAT(state.waiting_reason(), Catch::StartsWith("a call on the host hangs: "));
  }

  host.runtime.Release(verb);
  for (const v1::Assignment& one : hung) {
    threaded.UntilStatus(one, v1::TaskStatus::STOPPED);
    CHECK(host.StateOf(one.task_arn()).waiting_reason().empty());
    CHECK(host.runtime.StartCount(ContainerId(one)) <= 1);
  }
  CHECK(host.supervisor->stuck_calls().empty());
  CHECK(host.runtime.List()->size() == 1);
  CHECK(host.runtime.ListLeases()->size() == 1);
  CHECK(host.cgroups.List()->size() == 1);
}

TEST_CASE("a hung start goes on when it returns, and happens once", "[hung_calls]") {
  ThreadedHost threaded;
  FakeHost& host = threaded.host;
  host.runtime.Hold(Verb::kStart, 1);
  const v1::Assignment hung = MakeAssignment(1);
  host.supervisor->Assign(hung);
  threaded.Until([&] { return host.runtime.HeldCalls() == 1; });
  host.Pass(absl::Minutes(10));
  CHECK_THAT(host.StateOf(hung.task_arn()).waiting_reason(),
             Catch::Contains("starting container web"));
  host.runtime.Release(Verb::kStart);
  threaded.UntilStatus(hung, v1::TaskStatus::RUNNING);
  threaded.Until([&] { return host.StateOf(hung.task_arn()).waiting_reason().empty(); });
  CHECK(host.runtime.StartCount(ContainerId(hung)) == 1);
}

TEST_CASE("hung removals hold up neither stops nor starts", "[hung_calls]") {
  ThreadedHost threaded;
  FakeHost& host = threaded.host;
  const std::vector<v1::Assignment> hung = StopAnInnocentTaskBesideHung(Verb::kRemove, &threaded);
  threaded.Run(101);
  host.Pass(absl::Seconds(10));
  for (const v1::Assignment& one : hung) {
    CHECK(host.StateOf(one.task_arn()).last_status() == v1::TaskStatus::DEPROVISIONING);
    CHECK_THAT(host.StateOf(one.task_arn()).waiting_reason(),
               Catch::Contains("removing the task: the runtime removes " + ContainerId(one)));
  }
  host.runtime.Release(Verb::kRemove);
  for (const v1::Assignment& one : hung) threaded.UntilStatus(one, v1::TaskStatus::STOPPED);
}

TEST_CASE("a signal that hangs holds up no other task's stop", "[hung_calls]") {
  ThreadedHost threaded;
  FakeHost& host = threaded.host;
  const std::vector<v1::Assignment> hung = StopAnInnocentTaskBesideHung(Verb::kSignal, &threaded);
  host.runtime.Release(Verb::kSignal);
  for (const v1::Assignment& one : hung) threaded.UntilStatus(one, v1::TaskStatus::STOPPED);
}

TEST_CASE("a hung listing of the host holds up no task", "[hung_calls]") {
  ThreadedHost threaded;
  FakeHost& host = threaded.host;
  const v1::Assignment innocent = threaded.Run(100);
  host.runtime.Hold(Verb::kList);
  host.Pass(absl::Minutes(3));
  threaded.Until([&] { return host.runtime.HeldCalls() > 0; });
  host.supervisor->Assign(Stopped(innocent));
  threaded.UntilStatus(innocent, v1::TaskStatus::STOPPED);
  threaded.Run(101);
  host.Pass(absl::Minutes(2));
  REQUIRE_FALSE(host.supervisor->stuck_calls().empty());
  CHECK(host.supervisor->stuck_calls()[0].lane == kHostLane);
  host.runtime.Release(Verb::kList);
}

}  // namespace
}  // namespace davit::supervisor
