#include "agent/supervisor/supervisor.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_host.h"

namespace davit::supervisor {
namespace {

using test::ContainerId;
using test::FakeHost;
using test::MakeAssignment;
using Verb = runtime::FakeRuntime::Verb;

v1::Assignment Stopped(v1::Assignment assignment) {
  assignment.set_desired_status(v1::TaskStatus::STOPPED);
  assignment.set_stop_reason("enough");
  assignment.set_stop_code(v1::StopCode::UserInitiated);
  return assignment;
}

// Checks that the world has nothing of ours.
void CheckEmpty(FakeHost* host) {
  CHECK(host->runtime.List()->empty());
  CHECK(host->runtime.Snapshots().empty());
  CHECK(host->runtime.ListLeases()->empty());
  CHECK(host->network.List()->empty());
  CHECK(host->cgroups.List()->empty());
}

TEST_CASE("an assigned task runs with its limits, labels and log", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  v1::Assignment assignment = MakeAssignment(1);
  assignment.mutable_task_definition()->set_cpu("512");
  assignment.mutable_task_definition()
      ->mutable_container_definitions(0)
      ->add_port_mappings()
      ->set_container_port(80);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(state.last_status() == v1::TaskStatus::RUNNING);
  REQUIRE(state.containers(0).network_bindings_size() == 1);
  CHECK(state.containers(0).network_bindings(0).container_port() == 80);
  CHECK(state.containers(0).network_bindings(0).host_port() >= 32768);
  const auto spec = host.runtime.FindSpec(ContainerId(assignment));
  REQUIRE(spec.has_value());
  CHECK(spec->labels.at("davit.task-arn") == assignment.task_arn());
  CHECK(spec->labels.at("davit.container-name") == "web");
  CHECK(spec->log_uri.find("binary:///usr/bin/davit-logger?") == 0);
  CHECK(host.cgroups.LimitsOf("00000000000000000000000000000001")->cpu_quota ==
        absl::Milliseconds(50));
}

TEST_CASE("a task with a GPU that the host lacks is refused by member", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  v1::Assignment assignment = MakeAssignment(1);
  assignment.add_containers()->set_name("web");
  assignment.mutable_containers(0)->add_gpu_ids("GPU-a");
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(state.last_status() == v1::TaskStatus::STOPPED);
  CHECK_THAT(state.stopped_reason(),
             Catch::Contains("resourceRequirements: this host has no GPU GPU-a"));
  CheckEmpty(&host);
}

TEST_CASE("a task is STOPPED only when nothing of it is left", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1, true);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.network.FailDetach(absl::UnavailableError("iptables is busy"));
  host.supervisor->Assign(Stopped(assignment));
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::DEPROVISIONING);
  CHECK(host.StateOf(assignment.task_arn()).waiting_reason().find("iptables is busy") !=
        std::string::npos);
  host.network.FailDetach(absl::OkStatus());
  host.Pass(absl::Minutes(1));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(state.last_status() == v1::TaskStatus::STOPPED);
  CHECK(state.stopped_reason() == "enough");
  CHECK(state.stop_code() == v1::StopCode::UserInitiated);
  CHECK(state.containers(0).exit_code() == 143);
  CheckEmpty(&host);
}

TEST_CASE("a container that ignores SIGTERM is killed after its stopTimeout", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  host.runtime.IgnoreSignal(15);
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.supervisor->Assign(Stopped(assignment));
  host.Pass(absl::Seconds(9));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPING);
  host.Pass(absl::Seconds(2));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  CHECK(host.StateOf(assignment.task_arn()).containers(0).exit_code() == 137);
}

TEST_CASE("an out-of-memory kill is read from the container's cgroup", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  const std::string id = "00000000000000000000000000000001";
  host.cgroups.SimulateContainerCgroup(id, "web");
  resource::CgroupUsage usage;
  usage.oom_kills = 1;
  host.cgroups.SimulateUsage(host.cgroups.ContainerPath(id, "web"), usage);
  host.runtime.RunOutOfMemory(ContainerId(assignment));
  host.Pass(absl::Seconds(1));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(state.containers(0).reason() == "OutOfMemoryError: Container killed due to memory usage");
  CHECK(state.containers(0).exit_code() == 137);
  CHECK(state.stop_code() == v1::StopCode::EssentialContainerExited);
}

TEST_CASE("pull, create and start failures arrive with ECS's names", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  std::string expected;
  SECTION("pull") {
    host.puller.Fail("registry/web:1", absl::NotFoundError("no such image"));
    expected = "CannotPullContainerError: no such image";
  }
  SECTION("create") {
    host.runtime.FailNext(Verb::kCreate, absl::FailedPreconditionError("no runc"));
    expected = "CannotCreateContainerError: no runc";
  }
  SECTION("start") {
    host.runtime.FailNext(Verb::kStart, absl::FailedPreconditionError("exec: not found"));
    expected = "CannotStartContainerError: exec: not found";
  }
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(state.last_status() == v1::TaskStatus::STOPPED);
  CHECK(state.stop_code() == v1::StopCode::TaskFailedToStart);
  CHECK(state.containers(0).reason() == expected);
  CHECK_FALSE(state.containers(0).has_exit_code());
  CheckEmpty(&host);
}

TEST_CASE("members that the agent does not support are refused by name", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  v1::Assignment assignment = MakeAssignment(1);
  assignment.mutable_task_definition()->mutable_container_definitions(0)->add_links("db");
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(state.last_status() == v1::TaskStatus::STOPPED);
  CHECK(state.stopped_reason().find("containerDefinitions[0].links") != std::string::npos);
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 0);
}

TEST_CASE("tasks that do not fit wait, say for what, and run when resources are free",
          "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  v1::Assignment big = MakeAssignment(1);
  big.mutable_task_definition()->set_memory("900");
  v1::Assignment later = MakeAssignment(2);
  later.mutable_task_definition()->set_memory("200");
  host.supervisor->Assign(big);
  host.supervisor->Assign(later);
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(later.task_arn()).last_status() == v1::TaskStatus::PENDING);
  CHECK(host.StateOf(later.task_arn()).waiting_reason() ==
        "RESOURCE:MEMORY: needs 200 MiB, 100 of 1000 MiB are free");
  host.supervisor->Assign(Stopped(big));
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(later.task_arn()).last_status() == v1::TaskStatus::RUNNING);
}

TEST_CASE("a repeated assignment changes nothing", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  for (int i = 0; i < 3; ++i) {
    host.supervisor->Assign(assignment);
    host.Pass(absl::Seconds(1));
  }
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
  host.supervisor->Assign(Stopped(assignment));
  host.Pass(absl::Seconds(1));
  host.supervisor->Assign(assignment);  // a controller that does not know the end yet
  host.Pass(absl::Seconds(1));
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
}

TEST_CASE("a malformed assignment is reported STOPPED with the reason", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  v1::Assignment assignment = MakeAssignment(1);
  assignment.mutable_task_definition()->clear_container_definitions();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  CHECK(host.StateOf(assignment.task_arn()).stopped_reason().find("no containerDefinitions") !=
        std::string::npos);
}

TEST_CASE("records are removed when their time is over and the controller knows the end",
          "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(Stopped(assignment));
  host.Pass(absl::Hours(2));
  CHECK(host.store.Load()->tasks.size() == 1);  // not acked
  host.supervisor->NoteAcked(assignment.task_arn());
  host.Pass(absl::Hours(2));
  CHECK(host.store.Load()->tasks.empty());
}

TEST_CASE("lost answers of the runtime neither repeat nor lose a start", "[supervisor]") {
  for (const Verb verb :
       {Verb::kCreateLease, Verb::kPrepareRootfs, Verb::kCreate, Verb::kStart, Verb::kRemove}) {
    FakeHost host;
    host.StartAgent();
    host.runtime.LoseNextAnswer(verb);
    const v1::Assignment assignment = MakeAssignment(1);
    host.supervisor->Assign(assignment);
    host.Pass(absl::Minutes(1));
    INFO("verb " << static_cast<int>(verb));
    CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
    CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
    host.supervisor->Assign(Stopped(assignment));
    host.Pass(absl::Minutes(1));
    CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
    CheckEmpty(&host);
  }
}

TEST_CASE("a container may have a name that containerd would refuse", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  v1::Assignment assignment = MakeAssignment(1);
  const std::string name = "a--" + std::string(200, 'x') + "_";
  assignment.mutable_task_definition()->mutable_container_definitions(0)->set_name(name);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  REQUIRE(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  host.runtime.Exit(host.StateOf(assignment.task_arn()).containers(0).runtime_id(), 3);
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(assignment.task_arn()).containers(0).exit_code() == 3);
  CheckEmpty(&host);
}

TEST_CASE("a task's life and end cost no listing of the host", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment other = MakeAssignment(2, true);
  const v1::Assignment assignment = MakeAssignment(1, true);
  host.supervisor->Assign(other);
  host.Pass(absl::Seconds(1));
  const int listings = host.runtime.CallCount(Verb::kList);
  const int inspections = host.runtime.CallCount(Verb::kInspect);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  SECTION("stopped by its user") { host.supervisor->Assign(Stopped(assignment)); }
  SECTION("ended by itself") { host.runtime.Exit(ContainerId(assignment), 0); }
  SECTION("failed") { host.runtime.RunOutOfMemory(ContainerId(assignment)); }
  host.Pass(absl::Seconds(30));
  REQUIRE(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  CHECK(host.runtime.CallCount(Verb::kList) == listings);
  CHECK(host.runtime.CallCount(Verb::kInspect) == inspections);
}

TEST_CASE("what one task wants to know is asked of its own containers", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment other = MakeAssignment(2);
  const v1::Assignment assignment = MakeAssignment(1, true);
  host.supervisor->Assign(other);
  host.runtime.FailNext(Verb::kStart, absl::UnavailableError("its answer was lost"));
  host.supervisor->Assign(assignment);
  const int listings = host.runtime.CallCount(Verb::kList);
  host.Pass(absl::Seconds(10));
  CHECK(host.StateOf(other.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  CHECK(host.runtime.CallCount(Verb::kList) == listings);
  CHECK(host.runtime.CallCount(Verb::kInspect) > 0);
}

TEST_CASE("a task whose question cannot be answered asks again", "[supervisor]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.runtime.FailNext(Verb::kInspect, absl::UnavailableError("its shim does not answer"), 3);
  host.runtime.LoseNextAnswer(Verb::kStart);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(30));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
}

}  // namespace
}  // namespace davit::supervisor
