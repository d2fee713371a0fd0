// What agents report of tasks, and what they are told about them.
#include <catch2/catch.hpp>

#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

struct RunningTask {
  explicit RunningTask() {
    cluster.Connect("s1", MakeHello("i-1"));
    cluster.Register(MakeDefinition("web"));
    arn = cluster.Run("web").tasks(0).task_arn();
  }
  v1::Task Describe() {
    v1::DescribeTasksRequest request;
    request.add_tasks(arn);
    return cluster.Read(request)->tasks(0);
  }
  Outcome Report(v1::TaskStatus::Value status, uint64_t sequence) {
    return cluster.Report("s1", arn, status, sequence);
  }
  v1::StopTaskResponse Stop(const std::string& reason = "") {
    v1::StopTaskRequest request;
    request.set_task(arn);
    if (!reason.empty()) request.set_reason(reason);
    return cluster.Call<v1::StopTaskResponse>(request);
  }
  int64_t FreeMemory() {
    return cluster.model.state()
        .FindCluster("default")
        ->instances.begin()
        ->second->host.free_memory_mib;
  }
  TestCluster cluster;
  std::string arn;
};

TEST_CASE("a task's status never goes back, whatever is reported after it", "[report]") {
  const auto first =
      GENERATE(v1::TaskStatus::PENDING, v1::TaskStatus::ACTIVATING, v1::TaskStatus::RUNNING,
               v1::TaskStatus::STOPPING, v1::TaskStatus::DEPROVISIONING, v1::TaskStatus::STOPPED);
  const auto second =
      GENERATE(v1::TaskStatus::PENDING, v1::TaskStatus::ACTIVATING, v1::TaskStatus::RUNNING,
               v1::TaskStatus::STOPPING, v1::TaskStatus::DEPROVISIONING, v1::TaskStatus::STOPPED);
  RunningTask task;
  task.Report(first, 1);
  CHECK(task.Describe().last_status() == v1::TaskStatus::Value_Name(first));
  task.Report(second, 2);
  CHECK(task.Describe().last_status() == v1::TaskStatus::Value_Name(std::max(first, second)));
}

TEST_CASE("a report that was seen before changes nothing, and is acked again", "[report]") {
  RunningTask task;
  CHECK(task.Report(v1::TaskStatus::RUNNING, 5).mutations.size() == 1);
  const Outcome again = task.Report(v1::TaskStatus::RUNNING, 5);
  CHECK(again.mutations.empty());
  CHECK(SentTo("s1", again)[0].report_ack().report_id() == 5);
  CHECK(task.Report(v1::TaskStatus::STOPPED, 4).mutations.empty());
  CHECK(task.Describe().last_status() == "RUNNING");
}

TEST_CASE("a new session's report counts whatever its sequence: a killed agent may count again",
          "[report]") {
  RunningTask task;
  task.Report(v1::TaskStatus::RUNNING, 5);
  task.cluster.Connect("s2", MakeHello("i-1"));
  task.cluster.Report("s2", task.arn, v1::TaskStatus::STOPPED, 4);
  CHECK(task.Describe().last_status() == "STOPPED");
}

TEST_CASE("what no program may lose is durable at once, the rest later", "[report]") {
  RunningTask task;
  using Durability = change::Durability;
  CHECK(task.Report(v1::TaskStatus::PENDING, 1).mutations.at(0).durability == Durability::kLazy);
  v1::AgentMessage message = ReportOf("s1", task.arn, v1::TaskStatus::ACTIVATING, 2);
  v1::ContainerState* container =
      message.mutable_status_report()->mutable_tasks(0)->add_containers();
  container->set_name("web");
  container->set_last_status(v1::ContainerStatus::RUNNING);
  CHECK(task.cluster.Say("s1", message).mutations.at(0).durability == Durability::kNow);
  CHECK(task.Report(v1::TaskStatus::RUNNING, 3).mutations.at(0).durability == Durability::kNow);
  CHECK(task.Report(v1::TaskStatus::RUNNING, 4).mutations.at(0).durability == Durability::kLazy);
  CHECK(task.Report(v1::TaskStatus::STOPPED, 5).mutations.at(0).durability == Durability::kNow);
}

TEST_CASE("a number that is no status is ignored, and so is one that is too late", "[report]") {
  RunningTask task;
  task.Report(v1::TaskStatus::RUNNING, 1);
  task.Report(static_cast<v1::TaskStatus::Value>(450), 2);
  CHECK(task.Describe().last_status() == "RUNNING");
  task.Report(static_cast<v1::TaskStatus::Value>(9999), 3);
  CHECK(task.Describe().last_status() == "RUNNING");
  v1::AgentMessage message = ReportOf("s1", task.arn, v1::TaskStatus::RUNNING, 4);
  v1::TaskState* seen = message.mutable_status_report()->mutable_tasks(0);
  seen->set_started_at(1e300);
  seen->set_pull_started_at(-5);
  v1::ContainerState* container = seen->add_containers();
  container->set_name("web");
  container->set_last_status(static_cast<v1::ContainerStatus::Value>(7));
  container->set_health_status("SPLENDID");
  container->set_reason(std::string(5000, 'x'));
  task.cluster.Say("s1", message);
  const v1::Task shown = task.Describe();
  CHECK_FALSE(shown.has_started_at());
  CHECK_FALSE(shown.has_pull_started_at());
  CHECK(shown.containers(0).last_status() == "PENDING");
  CHECK(shown.containers(0).health_status() == "UNKNOWN");
  CHECK(shown.containers(0).reason().size() <= 1024);
  CHECK(task.Report(v1::TaskStatus::STOPPED, 5).status.ok());
  CHECK(task.Describe().last_status() == "STOPPED");
}

TEST_CASE("containers, times and exit codes of a report are shown", "[report]") {
  RunningTask task;
  v1::AgentMessage message = ReportOf("s1", task.arn, v1::TaskStatus::RUNNING, 1);
  v1::TaskState* seen = message.mutable_status_report()->mutable_tasks(0);
  seen->set_started_at(1700000001.5);
  v1::ContainerState* container = seen->add_containers();
  container->set_name("web");
  container->set_last_status(v1::ContainerStatus::RUNNING);
  container->set_runtime_id("abc-web");
  container->set_image_digest("sha256:1");
  container->add_network_bindings()->set_host_port(32768);
  task.cluster.Say("s1", message);
  v1::Task shown = task.Describe();
  CHECK(shown.started_at() == 1700000001.5);
  CHECK(shown.connectivity() == "CONNECTED");
  CHECK(shown.containers(0).last_status() == "RUNNING");
  CHECK(shown.containers(0).runtime_id() == "abc-web");
  CHECK(shown.containers(0).image_digest() == "sha256:1");
  CHECK(shown.containers(0).network_bindings(0).host_port() == 32768);
  CHECK_FALSE(shown.containers(0).has_exit_code());

  message = ReportOf("s1", task.arn, v1::TaskStatus::STOPPED, 2);
  seen = message.mutable_status_report()->mutable_tasks(0);
  seen->set_stop_code(v1::StopCode::EssentialContainerExited);
  seen->set_stopped_reason("Essential container in task exited");
  seen->set_stopped_at(1700000009);
  container = seen->add_containers();
  container->set_name("web");
  container->set_last_status(v1::ContainerStatus::STOPPED);
  container->set_exit_code(0);
  task.cluster.Say("s1", message);
  shown = task.Describe();
  CHECK(shown.desired_status() == "STOPPED");
  CHECK(shown.stop_code() == "EssentialContainerExited");
  CHECK(shown.stopped_reason() == "Essential container in task exited");
  CHECK(shown.stopped_at() == 1700000009);
  CHECK(shown.containers(0).has_exit_code());
  CHECK(shown.containers(0).runtime_id() == "abc-web");
}

TEST_CASE("a stopped task gives its resources back and is taken off its agent's list", "[report]") {
  RunningTask task;
  CHECK(task.FreeMemory() == 1900);
  task.Report(v1::TaskStatus::RUNNING, 1);
  CHECK(task.FreeMemory() == 1900);
  const Outcome stopped = task.Report(v1::TaskStatus::STOPPED, 2);
  CHECK(task.FreeMemory() == 2000);
  const auto sent = SentTo("s1", stopped);
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].has_report_ack());
  CHECK(sent[1].assignment_set().removed_task_arns(0) == task.arn);
}

TEST_CASE("StopTask tells the agent, with the reason, and changes no observed status", "[report]") {
  RunningTask task;
  task.Report(v1::TaskStatus::RUNNING, 1);
  v1::StopTaskRequest request;
  request.set_task(task.arn);
  request.set_reason("enough");
  const Outcome outcome = task.cluster.Apply(request);
  const auto sent = SentTo("s1", outcome);
  REQUIRE(sent.size() == 1);
  const v1::Assignment& assignment = sent[0].assignment_set().assignments(0);
  CHECK(assignment.desired_status() == v1::TaskStatus::STOPPED);
  CHECK(assignment.stop_reason() == "enough");
  CHECK(assignment.stop_code() == v1::StopCode::UserInitiated);
  CHECK(assignment.version() == 2);
  CHECK(task.Describe().last_status() == "RUNNING");
  CHECK(task.Describe().desired_status() == "STOPPED");
  CHECK(task.FreeMemory() == 1900);
}

TEST_CASE("stopping twice keeps the first reason and writes nothing", "[report]") {
  RunningTask task;
  CHECK(task.Stop().task().stopped_reason() == "Task stopped by user");
  CHECK(task.Stop("later").task().stopped_reason() == "Task stopped by user");
  task.Report(v1::TaskStatus::STOPPED, 1);
  CHECK(task.Describe().stop_code() == "UserInitiated");
  CHECK(task.Describe().stopped_reason() == "Task stopped by user");
}

TEST_CASE("sets are chained, and a resync is answered with a COMPLETE one", "[report]") {
  RunningTask task;
  v1::RunTaskRequest run;
  run.set_task_definition("web");
  const v1::AssignmentSet next = SentTo("s1", task.cluster.Apply(run))[0].assignment_set();
  CHECK(next.type() == v1::AssignmentSet::INCREMENTAL);
  CHECK(next.applies_to() == 2);
  CHECK(next.results_in() == 3);
  v1::AgentMessage resync = WithSession("s1");
  resync.mutable_resync_request()->set_last_results_in(1);
  const v1::AssignmentSet complete =
      SentTo("s1", task.cluster.Say("s1", resync))[0].assignment_set();
  CHECK(complete.type() == v1::AssignmentSet::COMPLETE);
  CHECK(complete.results_in() == 4);
  CHECK(complete.assignments_size() == 2);
  // The session carried the definition with the first task.
  CHECK(complete.task_definitions().empty());
  CHECK_THAT(complete.assignments(0).task_definition_arn(),
             Catch::EndsWith("task-definition/web:1"));
}

TEST_CASE("stop candidates are confirmed only when the controller knows better", "[report]") {
  RunningTask task;
  task.cluster.Connect("s2", MakeHello("i-2"));
  v1::RunTaskRequest run;
  run.set_task_definition("web");
  const std::string stopped = task.cluster.Call<v1::RunTaskResponse>(run).tasks(0).task_arn();
  task.cluster.Report("s2", stopped, v1::TaskStatus::STOPPED, 1);
  v1::AgentMessage message = WithSession("s2");
  v1::StopCandidates* candidates = message.mutable_stop_candidates();
  candidates->add_task_arns("arn:aws:ecs:us-east-1:000000000000:task/default/unknown");
  SECTION("one that is STOPPED, one of another instance") {
    candidates->add_task_arns(stopped);
    candidates->add_task_arns(task.arn);
    const auto sent = SentTo("s2", task.cluster.Say("s2", message));
    REQUIRE(sent.size() == 1);
    REQUIRE(sent[0].stop_confirmation().task_arns_size() == 2);
    CHECK(sent[0].stop_confirmation().task_arns(0) == stopped);
    CHECK(sent[0].stop_confirmation().task_arns(1) == task.arn);
  }
  SECTION("unknown ones are left alone: the store may have been emptied") {
    CHECK(SentTo("s2", task.cluster.Say("s2", message)).empty());
  }
}

TEST_CASE("an agent can report its own tasks only", "[report]") {
  RunningTask task;
  task.cluster.Connect("s2", MakeHello("i-2"));
  const Outcome foreign = task.cluster.Report("s2", task.arn, v1::TaskStatus::STOPPED, 1);
  CHECK(foreign.mutations.empty());
  CHECK(SentTo("s2", foreign)[0].has_report_ack());
  CHECK(task.Describe().last_status() == "PROVISIONING");
}

TEST_CASE("unknown tasks are acked", "[report]") {
  RunningTask task;
  const Outcome outcome = task.cluster.Report("s1", "arn:of:nothing", v1::TaskStatus::RUNNING, 1);
  CHECK(SentTo("s1", outcome)[0].has_report_ack());
  CHECK(outcome.mutations.empty());
}

TEST_CASE("a stopped task can be described for the retention time", "[report]") {
  RunningTask task;
  task.Report(v1::TaskStatus::STOPPED, 1);
  task.cluster.clock.Advance(absl::Minutes(59));
  task.cluster.Tick();
  CHECK(task.Describe().last_status() == "STOPPED");
  task.cluster.clock.Advance(absl::Minutes(2));
  const Outcome outcome = task.cluster.Tick();
  REQUIRE(outcome.mutations.size() == 1);
  CHECK(rows::IsErasure(outcome.mutations[0]));
  v1::DescribeTasksRequest request;
  request.add_tasks(task.arn);
  CHECK(task.cluster.Read(request)->failures(0).reason() == "MISSING");
}

TEST_CASE("how long a stopped task is kept is counted by the controller's clock", "[report]") {
  const absl::Duration skew = GENERATE(-absl::Hours(100), absl::Hours(100));
  RunningTask task;
  v1::AgentMessage message = ReportOf("s1", task.arn, v1::TaskStatus::STOPPED, 1);
  message.mutable_status_report()->mutable_tasks(0)->set_stopped_at(
      ToEpochSeconds(task.cluster.clock.Now() + skew));
  task.cluster.Say("s1", message);
  task.cluster.clock.Advance(absl::Minutes(59));
  CHECK(task.cluster.Tick().mutations.empty());
  task.cluster.clock.Advance(absl::Minutes(2));
  CHECK(task.cluster.Tick().mutations.size() == 1);
}

TEST_CASE("an agent is told which containers the controller has heard of", "[report]") {
  RunningTask task;
  const auto may_have_run = [&task] {
    v1::AgentMessage resync = WithSession("s1");
    resync.mutable_resync_request();
    return SentTo("s1", task.cluster.Say("s1", resync))[0]
        .assignment_set()
        .assignments(0)
        .containers(0)
        .may_have_run();
  };
  CHECK_FALSE(may_have_run());
  const auto [status, expected] =
      GENERATE(table<v1::ContainerStatus::Value, bool>({{v1::ContainerStatus::PENDING, false},
                                                        {v1::ContainerStatus::RUNNING, true},
                                                        {v1::ContainerStatus::STOPPED, true}}));
  v1::AgentMessage message = ReportOf("s1", task.arn, v1::TaskStatus::ACTIVATING, 1);
  v1::ContainerState* container =
      message.mutable_status_report()->mutable_tasks(0)->add_containers();
  container->set_name("web");
  container->set_last_status(status);
  task.cluster.Say("s1", message);
  CHECK(may_have_run() == expected);
}

TEST_CASE("what a task waits for is shown as its containers' reason", "[report]") {
  RunningTask task;
  v1::AgentMessage message = ReportOf("s1", task.arn, v1::TaskStatus::PENDING, 1);
  message.mutable_status_report()->mutable_tasks(0)->set_waiting_reason(
      "RESOURCE:MEMORY: needs 512 MiB");
  task.cluster.Say("s1", message);
  CHECK(task.Describe().containers(0).reason() == "RESOURCE:MEMORY: needs 512 MiB");
  task.Report(v1::TaskStatus::RUNNING, 2);
  CHECK_FALSE(task.Describe().containers(0).has_reason());
  message = ReportOf("s1", task.arn, v1::TaskStatus::STOPPING, 3);
  message.mutable_status_report()->mutable_tasks(0)->set_waiting_reason("a call hangs: /mnt/x");
  task.cluster.Say("s1", message);
  CHECK(task.Describe().containers(0).reason() == "a call hangs: /mnt/x");
  task.Report(v1::TaskStatus::STOPPED, 4);
  CHECK_FALSE(task.Describe().containers(0).has_reason());
}

TEST_CASE("a task is as healthy as its essential containers that have a check", "[report]") {
  const auto [of_web, of_sidecar, expected] = GENERATE(
      table<std::string, std::string, std::string>({{"UNKNOWN", "HEALTHY", "UNKNOWN"},
                                                    {"HEALTHY", "UNKNOWN", "HEALTHY"},
                                                    {"HEALTHY", "UNHEALTHY", "HEALTHY"},
                                                    {"UNHEALTHY", "HEALTHY", "UNHEALTHY"}}));
  TestCluster cluster;
  v1::Hello hello = MakeHello("i-1");
  hello.add_attributes()->set_name("ecs.capability.container-health-check");
  hello.add_attributes()->set_name("davit.capability.readiness-check");
  cluster.Connect("s1", hello);
  v1::RegisterTaskDefinitionRequest definition = MakeDefinition("web");
  *definition.add_container_definitions() = definition.container_definitions(0);
  definition.mutable_container_definitions(1)->set_name("sidecar");
  definition.mutable_container_definitions(1)->set_essential(false);
  *definition.add_container_definitions() = definition.container_definitions(0);
  definition.mutable_container_definitions(2)->set_name("unchecked");
  const bool is_alive_checked = GENERATE(true, false);
  for (const int checked : {0, 1}) {
    v1::ContainerDefinition* container = definition.mutable_container_definitions(checked);
    if (is_alive_checked) {
      container->mutable_health_check()->add_command("CMD");
      container->mutable_health_check()->add_command("/check");
    } else {
      (*container->mutable_docker_labels())["davit.readiness-check"] =
          R"({"command": ["CMD", "/ready"]})";
    }
  }
  cluster.Register(definition);
  const std::string arn = cluster.Run("web").tasks(0).task_arn();
  v1::AgentMessage report = ReportOf("s1", arn, v1::TaskStatus::RUNNING, 1);
  for (const auto& [name, health] :
       std::map<std::string, std::string>{{"web", of_web}, {"sidecar", of_sidecar}}) {
    v1::ContainerState* container =
        report.mutable_status_report()->mutable_tasks(0)->add_containers();
    container->set_name(name);
    container->set_last_status(v1::ContainerStatus::RUNNING);
    container->set_health_status(health);
  }
  cluster.Say("s1", report);
  v1::DescribeTasksRequest request;
  request.add_tasks(arn);
  const v1::Task task = cluster.Read(request)->tasks(0);
  CHECK(task.health_status() == expected);
  CHECK(task.containers(0).health_status() == of_web);
  CHECK(task.containers(1).health_status() == of_sidecar);
  CHECK(task.containers(2).health_status() == "UNKNOWN");
}

}  // namespace
}  // namespace davit::test
