#include <catch2/catch.hpp>

#include "tests/support/fake_host.h"

namespace davit::supervisor {
namespace {

using test::ContainerId;
using test::FakeHost;
using test::MakeAssignment;
using Verb = runtime::FakeRuntime::Verb;

TEST_CASE("a restarted agent finds its containers and leaves them alone",
          "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1, true);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  const int pid = host.runtime.Inspect(ContainerId(assignment))->pid;
  const uint64_t sequence = host.StateOf(assignment.task_arn()).sequence();
  host.StopAgent();
  host.StartAgent();
  host.Pass(absl::Seconds(1));
  host.supervisor->ReportAll();
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  CHECK(host.StateOf(assignment.task_arn()).sequence() > sequence);
  CHECK(host.runtime.Inspect(ContainerId(assignment))->pid == pid);
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
  CHECK(host.runtime.Signals(ContainerId(assignment)).empty());
}

TEST_CASE("containers that ended while the agent was away are reported with their exit code",
          "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.StopAgent();
  host.runtime.Exit(ContainerId(assignment), 42);
  host.StartAgent();
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  CHECK(host.StateOf(assignment.task_arn()).containers(0).exit_code() == 42);
}

TEST_CASE("a terminal status is reported again after a restart, until it is acknowledged",
          "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.runtime.Exit(ContainerId(assignment), 0);
  host.Pass(absl::Seconds(1));
  REQUIRE(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  host.StopAgent();
  host.sink.latest.clear();
  host.StartAgent();
  host.supervisor->ReportAll();
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  host.supervisor->NoteAcked(assignment.task_arn());
  host.Pass(absl::Seconds(1));
  host.StopAgent();
  host.sink.latest.clear();
  host.StartAgent();
  host.supervisor->ReportAll();
  host.Pass(absl::Seconds(1));
  CHECK(host.sink.latest.empty());
}

TEST_CASE("setting the clock back does not keep a stopped task's record longer",
          "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.supervisor->Stop({assignment.task_arn()}, "enough");
  host.Pass(absl::Minutes(1));
  host.supervisor->NoteAcked(assignment.task_arn());
  host.Pass(absl::Seconds(1));
  host.StopAgent();
  host.clock.Jump(-absl::Hours(1000));
  host.StartAgent();
  host.Pass(absl::Minutes(59));
  CHECK(host.store.Load()->tasks.size() == 1);
  host.Pass(absl::Minutes(2));
  CHECK(host.store.Load()->tasks.empty());
}

TEST_CASE("after a reboot no earlier container is started again", "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent("boot-1");
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.StopAgent();
  host.runtime.Reboot();
  host.StartAgent("boot-2");
  host.Pass(absl::Seconds(1));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(state.last_status() == v1::TaskStatus::STOPPED);
  CHECK(state.containers(0).reason() == "ContainerVanishedError: the host was restarted");
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
}

TEST_CASE("an unreachable runtime is not an exited container", "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.runtime.SetReachable(false);
  host.Pass(absl::Minutes(10));
  CHECK_FALSE(host.supervisor->runtime_available());
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  SECTION("it ended meanwhile") {
    host.runtime.Exit(ContainerId(assignment), 5);
    host.runtime.SetReachable(true);
    host.Pass(absl::Seconds(5));
    CHECK(host.StateOf(assignment.task_arn()).containers(0).exit_code() == 5);
  }
  SECTION("it still runs") {
    host.runtime.SetReachable(true);
    host.Pass(absl::Seconds(5));
    CHECK(host.supervisor->runtime_available());
    CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
    CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
  }
}

TEST_CASE("a container deleted by somebody else stops its task with the reason",
          "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  REQUIRE(host.runtime.Remove(ContainerId(assignment)).ok());
  host.Pass(absl::Seconds(5));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
}

TEST_CASE("power loss before a record is durable leaves nothing that ran",
          "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent();
  host.store.Hold(true);
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Minutes(1));
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 0);
  CHECK(host.runtime.ListLeases()->empty());
  host.store.LosePower();
  host.store.Hold(false);
  host.StopAgent();
  host.runtime.Reboot();
  host.StartAgent("boot-2");
  host.supervisor->Assign(assignment);  // the controller still wants it
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
}

TEST_CASE("recovery lists the host once, and so does each later look", "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent();
  for (int i = 1; i <= 5; ++i) host.supervisor->Assign(MakeAssignment(i, true));
  host.Pass(absl::Seconds(1));
  host.StopAgent();
  int listings = host.runtime.CallCount(Verb::kList);
  const int inspections = host.runtime.CallCount(Verb::kInspect);
  host.StartAgent();
  host.Pass(absl::Seconds(60));
  CHECK(host.runtime.CallCount(Verb::kList) == ++listings);
  host.Pass(absl::Seconds(120));
  CHECK(host.runtime.CallCount(Verb::kList) == ++listings);
  host.runtime.SetReachable(false);
  host.runtime.SetReachable(true);
  host.Pass(absl::Seconds(60));
  CHECK(host.runtime.CallCount(Verb::kList) == ++listings);
  CHECK(host.runtime.CallCount(Verb::kInspect) == inspections);
  for (int i = 1; i <= 5; ++i) {
    CHECK(host.StateOf(MakeAssignment(i).task_arn()).last_status() == v1::TaskStatus::RUNNING);
  }
}

TEST_CASE("a first listing that fails is repeated until it succeeds", "[supervisor][recovery]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.StopAgent();
  host.runtime.Exit(ContainerId(assignment), 42);
  host.runtime.FailNext(Verb::kList, absl::UnavailableError("busy"), 3);
  host.StartAgent();
  host.Pass(absl::Seconds(30));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  CHECK(host.StateOf(assignment.task_arn()).containers(0).exit_code() == 42);
}

}  // namespace
}  // namespace davit::supervisor
