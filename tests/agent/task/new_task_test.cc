#include "agent/task/new_task.h"

#include <catch2/catch.hpp>

namespace davit::task {
namespace {

v1::Assignment Assigned() {
  v1::Assignment assignment;
  assignment.set_task_arn(
      "arn:aws:ecs:us-east-1:000000000000:task/c/0123456789abcdef0123456789abcdef");
  v1::ContainerDefinition* web = assignment.mutable_task_definition()->add_container_definitions();
  web->set_name("web");
  web->set_cpu(100);
  web->set_memory(64);
  return assignment;
}

TEST_CASE("a new task has the definition's containers and the default grace period", "[task]") {
  v1::Assignment assignment = Assigned();
  v1::ContainerDefinition* sidecar =
      assignment.mutable_task_definition()->add_container_definitions();
  sidecar->set_name("sidecar");
  sidecar->set_essential(false);
  sidecar->set_stop_timeout(2);
  const auto task = NewTask(assignment, absl::Seconds(30));
  REQUIRE(task.ok());
  CHECK(task->task_id == "0123456789abcdef0123456789abcdef");
  REQUIRE(task->containers.size() == 2);
  CHECK(task->containers[0].essential);
  CHECK(task->containers[0].stop_timeout == absl::Seconds(30));
  CHECK_FALSE(task->containers[1].essential);
  CHECK(task->containers[1].stop_timeout == absl::Seconds(2));
}

TEST_CASE("an invalid assignment is refused by name", "[task]") {
  v1::Assignment repeated = Assigned();
  repeated.mutable_task_definition()->add_container_definitions()->set_name("web");
  CHECK(NewTask(repeated, absl::Seconds(1)).status().message().find("'web' is empty or repeated") !=
        std::string::npos);
  v1::Assignment empty = Assigned();
  empty.mutable_task_definition()->clear_container_definitions();
  CHECK(NewTask(empty, absl::Seconds(1)).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_FALSE(NewTask(v1::Assignment(), absl::Seconds(1)).ok());
}

TEST_CASE("names that would leave the task's own folder make no task", "[task]") {
  const std::string bad =
      GENERATE("..", ".", "../../etc", "a/b", "a b", "a.b", "\n", std::string(256, 'a'));
  v1::Assignment container = Assigned();
  container.mutable_task_definition()->mutable_container_definitions(0)->set_name(bad);
  CHECK(NewTask(container, absl::Seconds(1)).status().code() == absl::StatusCode::kInvalidArgument);
  if (bad.find('/') != std::string::npos) return;  // an ARN's id is what stands after the last one
  v1::Assignment task = Assigned();
  task.set_task_arn("arn:aws:ecs:us-east-1:000000000000:task/c/" + bad);
  CHECK(NewTask(task, absl::Seconds(1)).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a new task asks its containers what the definition asks", "[task]") {
  v1::Assignment assignment = Assigned();
  v1::ContainerDefinition* web =
      assignment.mutable_task_definition()->mutable_container_definitions(0);
  CHECK(NewTask(assignment, absl::Seconds(1))->containers[0].probes.empty());
  web->mutable_health_check()->add_command("NONE");
  CHECK(NewTask(assignment, absl::Seconds(1))->containers[0].probes.empty());
  web->mutable_health_check()->set_command(0, "CMD");
  web->mutable_health_check()->set_start_period(9);
  (*web->mutable_docker_labels())["davit.readiness-check"] =
      R"({"command": ["CMD", "/ready"], "interval": 7})";
  const auto task = NewTask(assignment, absl::Seconds(1));
  REQUIRE(task.ok());
  REQUIRE(task->containers[0].probes.size() == 2);
  CHECK(task->containers[0].probes.at(ProbeKind::kLiveness).check ==
        HealthCheck{absl::Seconds(30), 3, absl::Seconds(9)});
  CHECK(task->containers[0].probes.at(ProbeKind::kReadiness).check ==
        HealthCheck{absl::Seconds(7), 1, absl::ZeroDuration()});
}

TEST_CASE("an invalid readiness check makes the assignment invalid, and the error names it",
          "[task]") {
  v1::Assignment assignment = Assigned();
  (*assignment.mutable_task_definition()
        ->mutable_container_definitions(0)
        ->mutable_docker_labels())["davit.readiness-check"] =
      R"({"command": ["CMD", "/ready"], "interval": 3, "startPeriod": 9})";
  const absl::Status status = NewTask(assignment, absl::Seconds(1)).status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(
      std::string(status.message()),
      Catch::EndsWith("container 'web': "
                      "dockerLabels['davit.readiness-check'].interval: must be in 5..300, is 3. "
                      "dockerLabels['davit.readiness-check'].startPeriod: must be absent: no "
                      "container is ready before its check has passed."));
}

TEST_CASE("a task needs its own sizes, or the sum of its containers' sizes", "[task]") {
  v1::Assignment assignment = Assigned();
  v1::ContainerDefinition* other =
      assignment.mutable_task_definition()->add_container_definitions();
  other->set_name("other");
  other->set_cpu(28);
  other->set_memory(100);
  other->set_memory_reservation(36);
  CHECK(NeedsOf(assignment).cpu == 128);
  CHECK(NeedsOf(assignment).memory == 100);  // 64 + the reservation of 36
  assignment.mutable_task_definition()->set_cpu("512");
  assignment.mutable_task_definition()->set_memory("256");
  CHECK(NeedsOf(assignment).cpu == 512);
  CHECK(NeedsOf(assignment).memory == 256);
  assignment.mutable_overrides()->set_memory("300");
  CHECK(NeedsOf(assignment).memory == 300);
}

TEST_CASE("a task needs the host ports that it names", "[task]") {
  v1::Assignment assignment = Assigned();
  v1::ContainerDefinition* web =
      assignment.mutable_task_definition()->mutable_container_definitions(0);
  v1::PortMapping* fixed = web->add_port_mappings();
  fixed->set_container_port(80);
  fixed->set_host_port(8080);
  web->add_port_mappings()->set_container_port(81);  // dynamic
  v1::PortMapping* udp = web->add_port_mappings();
  udp->set_container_port(53);
  udp->set_host_port(5353);
  udp->set_protocol("udp");
  CHECK(NeedsOf(assignment).tcp_ports == std::set<int>{8080});
  CHECK(NeedsOf(assignment).udp_ports == std::set<int>{5353});
  assignment.mutable_task_definition()->set_network_mode("host");
  CHECK(NeedsOf(assignment).tcp_ports == std::set<int>{81, 8080});
}

TEST_CASE("a task needs the GPUs that the controller assigned to its containers", "[task]") {
  v1::Assignment assignment = Assigned();
  CHECK(NeedsOf(assignment).gpus.empty());
  assignment.add_containers()->add_gpu_ids("A");
  assignment.add_containers()->add_gpu_ids("B");
  CHECK(NeedsOf(assignment).gpus == std::set<std::string>{"A", "B"});
}

}  // namespace
}  // namespace davit::task
