#include "agent/supervisor/orphans.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_host.h"

namespace davit::supervisor {
namespace {

using test::ContainerId;
using test::FakeHost;
using test::MakeAssignment;

const char kId[] = "00000000000000000000000000000001";

TEST_CASE("a running orphan is left alone until the controller decides", "[orphans]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1, true);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.StopAgent();
  host.store.RemoveTask(kId);  // the state folder is lost
  host.StartAgent();
  host.Pass(absl::Hours(1));
  CHECK(host.runtime.Inspect(ContainerId(assignment))->state == runtime::ContainerState::kRunning);
  std::set<std::string> unfinished;
  host.supervisor->ListUnfinished(
      [&unfinished](const std::set<std::string>& arns) { unfinished = arns; });
  host.Pass(absl::Seconds(1));
  CHECK(unfinished == std::set<std::string>{assignment.task_arn()});
  SECTION("assigned: adopted as it is") {
    host.supervisor->Assign(assignment);
    host.Pass(absl::Seconds(1));
    CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
    CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
    CHECK(host.store.Load()->tasks.size() == 1);
  }
  SECTION("its stop is confirmed: stopped with its grace period, reported, removed") {
    host.runtime.IgnoreSignal(15);
    host.supervisor->Stop({assignment.task_arn()}, "not yours any more");
    host.Pass(absl::Minutes(2));
    CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
    CHECK(host.StateOf(assignment.task_arn()).stopped_reason() == "not yours any more");
    CHECK(host.runtime.List()->empty());
    CHECK(host.runtime.ListLeases()->empty());
  }
}

TEST_CASE("an assigned task is adopted even before the first inventory", "[orphans]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.StopAgent();
  host.store.RemoveTask(kId);
  host.runtime.SetReachable(false);  // the first inventory fails
  host.StartAgent();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  int exit_code = -1;
  SECTION("it still runs") {}
  SECTION("it has ended") { host.runtime.Exit(ContainerId(assignment), exit_code = 9); }
  host.runtime.SetReachable(true);
  host.Pass(absl::Minutes(1));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
  if (exit_code < 0) {
    CHECK(state.last_status() == v1::TaskStatus::RUNNING);
  } else {
    CHECK(state.last_status() == v1::TaskStatus::STOPPED);
    CHECK(state.containers(0).exit_code() == 9);
  }
}

TEST_CASE("an orphan that does not run is removed after a grace period", "[orphans]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  host.StopAgent();
  host.store.RemoveTask(kId);
  host.runtime.Exit(ContainerId(assignment), 0);
  REQUIRE(host.runtime.CreateLease("davit-00000000000000000000000000000002", {})
              .ok());  // from an interrupted provisioning
  REQUIRE(host.cgroups.Create("00000000000000000000000000000003", {}).ok());
  host.StartAgent();
  host.Pass(absl::Minutes(4));
  CHECK(host.runtime.List()->size() == 1);
  host.Pass(absl::Minutes(5));
  CHECK(host.runtime.List()->empty());
  CHECK(host.runtime.ListLeases()->empty());
  CHECK(host.cgroups.List()->empty());
}

TEST_CASE("an agent without records does not restart a container that the controller knows",
          "[orphans]") {
  FakeHost host;
  host.StartAgent();
  v1::Assignment assignment = MakeAssignment(1);
  v1::ContainerIdentity* container = assignment.add_containers();
  container->set_name(assignment.task_definition().container_definitions(0).name());
  SECTION("it may have run: its task ends, with an unknown exit code") {
    container->set_may_have_run(true);
    host.supervisor->Assign(assignment);
    host.Pass(absl::Minutes(1));
    CHECK(host.runtime.StartCount(ContainerId(assignment)) == 0);
    const v1::TaskState state = host.StateOf(assignment.task_arn());
    CHECK(state.last_status() == v1::TaskStatus::STOPPED);
    CHECK_FALSE(state.containers(0).has_exit_code());
    CHECK_THAT(state.containers(0).reason(), Catch::StartsWith("ContainerVanishedError"));
  }
  SECTION("it has not: a new task") {
    host.supervisor->Assign(assignment);
    host.Pass(absl::Minutes(1));
    CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
  }
}

TEST_CASE("files of unknown tasks are removed, their logs as late as those of stopped tasks",
          "[orphans]") {
  FakeHost host;
  const std::string folder = host.state_dir() + "/tasks/" + kId;
  const std::string logs = host.state_dir() + "/logs/" + kId;
  REQUIRE(MakeDirectories(folder).ok());
  REQUIRE(MakeDirectories(logs).ok());
  REQUIRE(MakeDirectories(host.state_dir() + "/logs/of-somebody").ok());
  host.StartAgent();
  host.Pass(absl::Minutes(4));
  CHECK(FileExists(folder));
  host.Pass(absl::Minutes(5));
  CHECK_FALSE(FileExists(folder));
  CHECK(FileExists(logs));
  host.Pass(absl::Hours(1));
  CHECK_FALSE(FileExists(logs));
  CHECK(FileExists(host.state_dir() + "/logs/of-somebody"));
}

TEST_CASE("setting the clock does not change the grace period", "[orphans]") {
  const absl::Duration jump = GENERATE(absl::Hours(24), -absl::Hours(24));
  FakeHost host;
  REQUIRE(host.runtime.CreateLease(std::string("davit-") + kId, {}).ok());
  host.StartAgent();
  host.Pass(absl::Minutes(1));
  host.clock.Jump(jump);
  host.Pass(absl::Minutes(3));
  CHECK(host.runtime.ListLeases()->size() == 1);
  host.Pass(absl::Minutes(5));
  CHECK(host.runtime.ListLeases()->empty());
}

TEST_CASE("containers of others are never touched", "[orphans]") {
  FakeHost host;
  host.StartAgent();
  // A foreign container without labels, a container of another agent, and a foreign lease.
  const std::string other = "00000000000000000000000000000009";
  REQUIRE(host.runtime.CreateLease("backup", {}).ok());
  REQUIRE(host.runtime.CreateLease("davit-" + other, {}).ok());
  for (const bool is_labelled : {false, true}) {
    runtime::ContainerSpec spec;
    spec.id = is_labelled ? other + "-web" : "somebody";
    if (is_labelled)
      spec.labels = {{"davit.task-arn", "arn:aws:ecs:r:a:task/c/" + other},
                     {"davit.agent", "agent-2"}};
    REQUIRE(host.runtime.PrepareRootfs(spec.id, "backup", "sha256:x").ok());
    REQUIRE(host.runtime.Create(spec).ok());
  }
  host.Pass(absl::Hours(5));
  CHECK(host.runtime.List()->size() == 2);
  CHECK(host.runtime.ListLeases()->size() == 2);
  CHECK(host.supervisor->owned().orphans == 0);
}

TEST_CASE("remains of the host that this disk was cloned from are ours", "[orphans]") {
  HostInventory inventory;
  inventory.tasks[kId] = {"arn", "i-old", "default", {"web"}, false};
  Orphans clone({"i-new", "i-old"}, absl::Minutes(5));
  CHECK(clone.Update(inventory, {}, absl::Seconds(0)).empty());
  CHECK(clone.Update(inventory, {}, absl::Seconds(300)) == std::vector<std::string>{kId});
  Orphans stranger({"i-new"}, absl::Minutes(5));
  stranger.Update(inventory, {}, absl::Seconds(0));
  CHECK(stranger.Update(inventory, {}, absl::Seconds(300)).empty());
}

TEST_CASE("the grace period restarts for a task that was known in between", "[orphans]") {
  HostInventory inventory;
  inventory.tasks[kId] = {"arn", "i-1", "default", {"web"}, false};
  Orphans orphans({"i-1"}, absl::Minutes(5));
  orphans.Update(inventory, {}, absl::Seconds(0));
  orphans.Update(inventory, {kId}, absl::Seconds(200));
  CHECK(orphans.Update(inventory, {}, absl::Seconds(400)).empty());
  CHECK(orphans.Update(inventory, {}, absl::Seconds(700)).size() == 1);
}

}  // namespace
}  // namespace davit::supervisor
