#include "agent/task/task_record.h"

#include <catch2/catch.hpp>

#include "tests/agent/task/task_driver.h"

namespace davit::task {
namespace {

v1::TaskRecord RecordOf(const TaskSnapshot& task) {
  v1::TaskRecord record = ToRecord(task);
  record.mutable_assignment()->set_task_arn("arn:aws:ecs:us-east-1:000000000000:task/c/" +
                                            task.task_id);
  for (const ContainerSnapshot& container : task.containers) {
    v1::ContainerDefinition* definition =
        record.mutable_assignment()->mutable_task_definition()->add_container_definitions();
    definition->set_name(container.name);
    definition->set_essential(container.essential);
    definition->set_stop_timeout(static_cast<int>(absl::ToInt64Seconds(container.stop_timeout)));
  }
  return record;
}

TEST_CASE("a task comes back from the store as it was", "[task][store]") {
  TaskDriver driver(TwoContainers());
  driver.Run();
  driver.mutable_snapshot()->containers[0].network_bindings = {{"0.0.0.0", 8080, 32768, "tcp"}};
  const PostMortem facts{
      64 << 20, 63 << 20, true, 2, "4711 (stress)", absl::Milliseconds(1500), {"one", "two"}};
  driver.Send(Exited{"web", 137, true, driver.now(), facts});
  TaskSnapshot stored = driver.snapshot();
  const auto loaded = FromRecord(RecordOf(stored), absl::Seconds(30));
  REQUIRE(loaded.ok());
  // State that only this process needs is not stored.
  stored.work = Work::kNothing;
  stored.attempt = 0;
  for (ContainerSnapshot& container : stored.containers) container.stop_signals = 0;
  CHECK(*loaded == stored);
}

// "db" of OrderedContainersWithReadiness(), with the checks of its definition.
v1::TaskRecord CheckedRecordOf(const TaskSnapshot& task) {
  v1::TaskRecord record = RecordOf(task);
  v1::ContainerDefinition* db =
      record.mutable_assignment()->mutable_task_definition()->mutable_container_definitions(0);
  db->mutable_health_check()->add_command("CMD");
  db->mutable_health_check()->set_interval(10);
  db->mutable_health_check()->set_retries(2);
  db->mutable_health_check()->set_start_period(30);
  (*db->mutable_docker_labels())["davit.readiness-check"] = R"({"command": ["CMD", "/ready"]})";
  return record;
}

TEST_CASE("verdicts and outputs of checks come back from the store", "[task][store]") {
  TaskDriver driver(OrderedContainersWithReadiness());
  driver.Run();
  driver.EndCheck("db", ProbeKind::kLiveness, CheckResult{0, "fine"});
  driver.EndCheck("db", ProbeKind::kReadiness, CheckResult{0, "ready"});
  REQUIRE(driver.container("db").was_healthy);
  driver.EndCheck("db", ProbeKind::kReadiness, CheckResult{std::nullopt, "too long"});
  driver.EndCheck("db", ProbeKind::kLiveness, CheckResult{3, "no"});
  std::map<ProbeKind, Probe> stored = driver.container("db").probes;
  const auto loaded = FromRecord(CheckedRecordOf(driver.snapshot()), absl::Seconds(30));
  REQUIRE(loaded.ok());
  for (auto& [kind, probe] : stored) probe.number = 0;  // what only this process knows
  CHECK(loaded->containers[0].probes == stored);
  CHECK(loaded->containers[0].was_healthy == driver.container("db").was_healthy);
}

TEST_CASE("an older agent's record keeps its health", "[task][store]") {
  TaskDriver driver(OrderedContainersWithReadiness());
  driver.Run();
  v1::TaskRecord record = CheckedRecordOf(driver.snapshot());
  record.mutable_containers(0)->clear_probes();
  record.mutable_containers(0)->set_health(static_cast<int>(Health::kHealthy));
  record.mutable_containers(0)->set_health_failures(1);
  const auto loaded = FromRecord(record, absl::Seconds(30));
  REQUIRE(loaded.ok());
  const auto& probes = loaded->containers[0].probes;
  CHECK(probes.at(ProbeKind::kLiveness).health == Health::kHealthy);
  CHECK(probes.at(ProbeKind::kLiveness).failures == 1);
  CHECK(probes.at(ProbeKind::kReadiness).health == Health::kUnknown);
}

TEST_CASE("an invalid record is refused by name", "[task][store]") {
  v1::TaskRecord record = RecordOf(OneContainer());
  record.mutable_containers(0)->set_phase(99);
  CHECK(FromRecord(record, absl::Seconds(1)).status().message().find("phase 99") !=
        std::string::npos);
  record = RecordOf(OneContainer());
  record.mutable_containers(0)->set_health(9);
  CHECK(FromRecord(record, absl::Seconds(1)).status().message().find("health 9") !=
        std::string::npos);
  record = RecordOf(OneContainer());
  record.mutable_containers(0)->set_name("stranger");
  CHECK(FromRecord(record, absl::Seconds(1)).status().message().find("stranger") !=
        std::string::npos);
}

TEST_CASE("reports to the controller have ECS's words and lengths", "[task]") {
  TaskDriver driver(OneContainer());
  driver.Run();
  driver.mutable_snapshot()->containers[0].network_bindings = {{"0.0.0.0", 8080, 32768, "tcp"}};
  const v1::TaskState running = ToTaskState("arn", driver.snapshot(), 5);
  CHECK(running.last_status() == v1::TaskStatus::RUNNING);
  CHECK(running.sequence() == 5);
  CHECK(running.containers(0).runtime_id() == "0123456789abcdef0123456789abcdef-web");
  CHECK(running.containers(0).network_bindings(0).host_port() == 32768);
  driver.Send(Exited{"web", 1, false, driver.now()});
  driver.mutable_snapshot()->containers[0].reason = std::string(5000, 'x');
  const v1::TaskState stopped = ToTaskState("arn", driver.snapshot(), 6);
  CHECK(stopped.containers(0).exit_code() == 1);
  CHECK(stopped.containers(0).reason().size() == 1024);
  CHECK(stopped.containers(0).network_bindings().empty());
}

TEST_CASE("text that is not UTF-8 does not make a record unreadable", "[task_record]") {
  TaskSnapshot task;
  task.stopped_reason = "runc: \xff\xfe";
  task.containers.emplace_back().reason = "cut off: \xe2\x82";
  v1::TaskRecord read;
  REQUIRE(read.ParseFromString(ToRecord(task).SerializeAsString()));
  CHECK(read.stopped_reason() == "runc: \uFFFD\uFFFD");
  CHECK(read.containers(0).reason() == "cut off: \uFFFD\uFFFD");
  v1::TaskState told;
  REQUIRE(told.ParseFromString(ToTaskState("arn", task, 1).SerializeAsString()));
}

}  // namespace
}  // namespace davit::task
