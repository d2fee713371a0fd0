// Restarts in place, health checks and order on a host in memory.

#include <catch2/catch.hpp>

#include "tests/support/fake_host.h"

namespace davit::supervisor {
namespace {

using test::ContainerId;
using test::FakeHost;
using test::MakeAssignment;
using Verb = runtime::FakeRuntime::Verb;

v1::ContainerDefinition* Web(v1::Assignment* assignment) {
  return assignment->mutable_task_definition()->mutable_container_definitions(0);
}

v1::Assignment WithHealthCheck() {
  v1::Assignment assignment = MakeAssignment(1);
  v1::HealthCheck* check = Web(&assignment)->mutable_health_check();
  check->add_command("CMD");
  check->add_command("/check");
  check->set_interval(10);
  check->set_retries(2);
  return assignment;
}

// "web" also has a readiness check; "app" waits until "web" is HEALTHY.
v1::Assignment WithReadinessCheck() {
  v1::Assignment assignment = WithHealthCheck();
  (*Web(&assignment)->mutable_docker_labels())["davit.readiness-check"] =
      R"({"command": ["CMD", "/ready"], "interval": 5})";
  v1::ContainerDefinition* app = assignment.mutable_task_definition()->add_container_definitions();
  app->set_name("app");
  app->set_image("registry/web:1");
  app->set_memory(64);
  v1::ContainerDependency* dependency = app->add_depends_on();
  dependency->set_container_name("web");
  dependency->set_condition("HEALTHY");
  return assignment;
}

v1::Assignment WithRestartPolicy() {
  v1::Assignment assignment = MakeAssignment(1);
  v1::ContainerRestartPolicy* policy = Web(&assignment)->mutable_restart_policy();
  policy->set_enabled(true);
  policy->set_restart_attempt_period(60);
  policy->add_ignored_exit_codes(7);
  return assignment;
}

std::string HealthOf(FakeHost* host, const v1::Assignment& assignment) {
  return host->StateOf(assignment.task_arn()).containers(0).health_status();
}

TEST_CASE("a container is checked once in each interval, and its health is reported", "[life]") {
  FakeHost host;
  int exit_code = 0;
  host.runtime.SetOnExec([&exit_code](const runtime::ExecSpec& spec) {
    return runtime::ExecResult{exit_code, spec.arguments[0] + " says"};
  });
  host.StartAgent();
  const v1::Assignment assignment = WithHealthCheck();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(9));
  CHECK(HealthOf(&host, assignment) == "UNKNOWN");
  host.Pass(absl::Seconds(2));
  CHECK(HealthOf(&host, assignment) == "HEALTHY");
  exit_code = 1;
  host.Pass(absl::Seconds(10));
  CHECK(HealthOf(&host, assignment) == "HEALTHY");
  host.Pass(absl::Seconds(10));
  CHECK(HealthOf(&host, assignment) == "UNHEALTHY");
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  CHECK(host.runtime.ExecCount(ContainerId(assignment)) == 3);
}

TEST_CASE("inventories and lost connections never run a check twice", "[life]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = WithHealthCheck();
  host.supervisor->Assign(assignment);
  for (int i = 0; i < 10; ++i) {
    host.Pass(absl::Seconds(5));
    host.runtime.SetReachable(false);
    host.Pass(absl::Milliseconds(100));
    host.runtime.SetReachable(true);
    host.Pass(absl::Seconds(5));
  }
  CHECK(host.runtime.ExecCount(ContainerId(assignment)) <= 10);
  CHECK(host.runtime.ExecCount(ContainerId(assignment)) >= 9);
}

TEST_CASE("a health check has no result while the runtime is unreachable", "[life]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = WithHealthCheck();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(11));
  REQUIRE(HealthOf(&host, assignment) == "HEALTHY");
  host.runtime.SetReachable(false);
  host.Pass(absl::Minutes(2));
  CHECK(HealthOf(&host, assignment) == "HEALTHY");
  host.runtime.SetOnExec([](const runtime::ExecSpec&) { return runtime::ExecResult{1, "no"}; });
  host.runtime.SetReachable(true);
  host.Pass(absl::Seconds(21));
  CHECK(HealthOf(&host, assignment) == "UNHEALTHY");
}

TEST_CASE("a restarted agent remembers the health and continues the checks", "[life]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = WithHealthCheck();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(11));
  host.StopAgent();
  host.sink.latest.clear();
  host.StartAgent();
  host.supervisor->ReportAll();
  host.Pass(absl::Seconds(1));
  CHECK(HealthOf(&host, assignment) == "HEALTHY");
  host.runtime.SetOnExec([](const runtime::ExecSpec&) { return runtime::ExecResult{1, "no"}; });
  host.Pass(absl::Seconds(21));
  CHECK(HealthOf(&host, assignment) == "UNHEALTHY");
}

TEST_CASE("consecutive failures are counted across restarts of the agent", "[life]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = WithHealthCheck();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(11));
  host.runtime.SetOnExec([](const runtime::ExecSpec&) { return runtime::ExecResult{1, "no"}; });
  host.Pass(absl::Seconds(10));
  REQUIRE(HealthOf(&host, assignment) == "HEALTHY");  // one of two failures
  host.StopAgent();
  host.StartAgent();
  host.Pass(absl::Seconds(11));
  CHECK(HealthOf(&host, assignment) == "UNHEALTHY");
}

TEST_CASE("a container may become unready and ready again while its task runs", "[life]") {
  FakeHost host;
  bool is_ready = false;
  host.runtime.SetOnExec([&is_ready](const runtime::ExecSpec& spec) {
    return runtime::ExecResult{spec.arguments[0] == "/ready" && !is_ready ? 1 : 0, ""};
  });
  host.StartAgent();
  const v1::Assignment assignment = WithReadinessCheck();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Minutes(1));
  CHECK(HealthOf(&host, assignment) == "UNKNOWN");
  CHECK(host.runtime.StartCount(ContainerId(assignment, "app")) == 0);
  CHECK(host.StateOf(assignment.task_arn()).waiting_reason() ==
        "waits for container web to be HEALTHY");
  is_ready = true;
  host.Pass(absl::Seconds(6));
  CHECK(HealthOf(&host, assignment) == "HEALTHY");
  CHECK(host.runtime.StartCount(ContainerId(assignment, "app")) == 1);
  is_ready = false;
  host.Pass(absl::Seconds(6));
  CHECK(HealthOf(&host, assignment) == "UNKNOWN");
  // Neither a killed agent nor a lost containerd changes it.
  host.StopAgent();
  host.StartAgent();
  host.runtime.SetReachable(false);
  host.Pass(absl::Minutes(5));
  CHECK(HealthOf(&host, assignment) == "UNKNOWN");
  host.runtime.SetReachable(true);
  is_ready = true;
  host.Pass(absl::Seconds(11));
  CHECK(HealthOf(&host, assignment) == "HEALTHY");
  host.runtime.SetReachable(false);
  host.Pass(absl::Minutes(5));
  CHECK(HealthOf(&host, assignment) == "HEALTHY");
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 1);
  CHECK(host.runtime.Signals(ContainerId(assignment)).empty());
}

TEST_CASE("a container that is ready but not alive is UNHEALTHY", "[life]") {
  FakeHost host;
  host.runtime.SetOnExec([](const runtime::ExecSpec& spec) {
    return runtime::ExecResult{spec.arguments[0] == "/ready" ? 0 : 1, ""};
  });
  host.StartAgent();
  const v1::Assignment assignment = WithReadinessCheck();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Minutes(1));
  CHECK(HealthOf(&host, assignment) == "UNHEALTHY");
  CHECK(host.runtime.StartCount(ContainerId(assignment, "app")) == 0);
}

TEST_CASE("an invalid readiness check stops the task with the reason", "[life]") {
  FakeHost host;
  host.StartAgent();
  v1::Assignment assignment = WithReadinessCheck();
  (*Web(&assignment)->mutable_docker_labels())["davit.readiness-check"] = "curl -f localhost";
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(1));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(state.last_status() == v1::TaskStatus::STOPPED);
  CHECK_THAT(state.stopped_reason(),
             Catch::Contains("container 'web': dockerLabels['davit.readiness-check']: not JSON: "));
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 0);
}

TEST_CASE("a container is restarted in place after its attempt period", "[life]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = WithRestartPolicy();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(61));
  host.runtime.Exit(ContainerId(assignment), 1);
  host.Pass(absl::Seconds(2));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  CHECK(state.last_status() == v1::TaskStatus::RUNNING);
  CHECK(state.containers(0).restart_count() == 1);
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 2);
  CHECK(host.runtime.Snapshots() == std::vector<std::string>{ContainerId(assignment)});
  // The second life was too short for a third.
  host.runtime.Exit(ContainerId(assignment), 1);
  host.Pass(absl::Minutes(1));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  CHECK(host.StateOf(assignment.task_arn()).containers(0).exit_code() == 1);
}

TEST_CASE("a restart continues where the agent was killed", "[life]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = WithRestartPolicy();
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(61));
  SECTION("its reset had no answer") { host.runtime.LoseNextAnswer(Verb::kReset); }
  SECTION("its creation had no answer") { host.runtime.LoseNextAnswer(Verb::kCreate); }
  SECTION("its start had no answer") { host.runtime.LoseNextAnswer(Verb::kStart); }
  host.runtime.Exit(ContainerId(assignment), 1);
  host.executor.RunAll();
  host.timers.FireNext(absl::Seconds(1));  // the pause between two lives
  host.executor.RunAll();
  host.StopAgent();
  host.StartAgent();
  host.Pass(absl::Seconds(30));
  CHECK(host.runtime.StartCount(ContainerId(assignment)) == 2);
  CHECK(host.runtime.Inspect(ContainerId(assignment))->state == runtime::ContainerState::kRunning);
  CHECK(host.StateOf(assignment.task_arn()).containers(0).restart_count() == 1);
}

TEST_CASE("a container that already runs at its creation is adopted", "[life]") {
  FakeHost host;
  host.StartAgent();
  const v1::Assignment assignment = MakeAssignment(1);
  const std::string id = ContainerId(assignment);
  // Like the work of an agent that stored nothing, started after this one's inventory.
  REQUIRE(host.runtime.CreateLease("davit-1", {}).ok());
  REQUIRE(host.runtime.PrepareRootfs(id, "davit-1", "sha256:chain").ok());
  runtime::ContainerSpec spec;
  spec.id = id;
  REQUIRE(host.runtime.Create(spec).ok());
  REQUIRE(host.runtime.Start(id).ok());
  host.supervisor->Assign(assignment);
  host.Pass(absl::Seconds(30));
  CHECK(host.runtime.StartCount(id) == 1);
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
}

}  // namespace
}  // namespace davit::supervisor
