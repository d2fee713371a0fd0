#include "agent/session/report_queue.h"

#include <catch2/catch.hpp>
#include <set>

namespace davit::session {
namespace {

v1::TaskState State(const std::string& arn, uint64_t sequence,
                    v1::TaskStatus::Value status = v1::TaskStatus::RUNNING) {
  v1::TaskState state;
  state.set_task_arn(arn);
  state.set_sequence(sequence);
  state.set_last_status(status);
  return state;
}

TEST_CASE("the latest state of a task waits alone", "[report_queue]") {
  ReportQueue queue;
  queue.Add(State("a", 1));
  queue.Add(State("a", 3));
  queue.Add(State("a", 2));
  queue.Add(State("b", 1));
  const auto report = queue.Next();
  REQUIRE(report.has_value());
  REQUIRE(report->tasks_size() == 2);
  CHECK(report->tasks(0).sequence() == 3);
  CHECK_FALSE(queue.Next().has_value());
}

TEST_CASE("reports have rising numbers and a bounded size", "[report_queue]") {
  ReportQueue queue;
  for (int i = 0; i < ReportQueue::kMaxTasksPerReport + 1; ++i)
    queue.Add(State(std::to_string(i), 1));
  const auto first = queue.Next();
  const auto second = queue.Next();
  CHECK(first->tasks_size() == ReportQueue::kMaxTasksPerReport);
  CHECK(second->tasks_size() == 1);
  CHECK(second->report_id() > first->report_id());
}

TEST_CASE("the number of reports in flight is limited", "[report_queue]") {
  ReportQueue queue;
  for (size_t i = 0; i < ReportQueue::kMaxInFlight; ++i) {
    queue.Add(State("a", i + 1));
    REQUIRE(queue.Next().has_value());
  }
  queue.Add(State("a", 100));
  CHECK_FALSE(queue.Next().has_value());
  queue.Ack(1);
  CHECK(queue.Next()->tasks(0).sequence() == 100);
}

TEST_CASE("an acknowledgement returns the tasks whose terminal status it covers, once",
          "[report_queue]") {
  ReportQueue queue;
  queue.Add(State("a", 1, v1::TaskStatus::STOPPED));
  queue.Add(State("b", 1));
  const auto report = queue.Next();
  CHECK(queue.Ack(report->report_id()) == std::vector<std::string>{"a"});
  CHECK(queue.Ack(report->report_id()).empty());
  CHECK(queue.Ack(999).empty());
}

TEST_CASE("the end of a connection drops its reports", "[report_queue]") {
  ReportQueue queue;
  queue.Add(State("a", 1, v1::TaskStatus::STOPPED));
  const auto report = queue.Next();
  queue.Add(State("b", 1));
  queue.Clear();
  CHECK(queue.waiting() == 0);
  CHECK(queue.in_flight() == 0);
  CHECK(queue.Ack(report->report_id()).empty());
}

TEST_CASE("reports are bounded by bytes, and nothing is left out", "[report_queue]") {
  ReportQueue queue;
  std::set<std::string> told;
  for (int i = 0; i < 500; ++i) {
    v1::TaskState state;
    state.set_task_arn("task-" + std::to_string(i));
    state.set_sequence(1);
    for (int c = 0; c < 10; ++c) state.add_containers()->set_reason(std::string(1024, 'x'));
    queue.Add(std::move(state));
  }
  while (const std::optional<v1::StatusReport> report = queue.Next()) {
    CHECK(report->ByteSizeLong() <= ReportQueue::kMaxReportBytes);
    CHECK(report->tasks_size() > 50);  // nor are they many
    for (const v1::TaskState& state : report->tasks()) {
      told.insert(state.task_arn());
      CHECK(state.containers(9).reason().size() == 1024);
    }
    queue.Ack(report->report_id());
  }
  CHECK(told.size() == 500);
}

TEST_CASE("a state that is too large for any report is shortened, and says so", "[report_queue]") {
  ReportQueue queue;
  v1::TaskState state;
  state.set_task_arn("task-1");
  state.set_sequence(1);
  state.set_last_status(v1::TaskStatus::STOPPED);
  state.set_stopped_reason("Essential container in task exited");
  int containers = 0;
  SECTION("long reasons") {
    containers = 2000;
    for (int i = 0; i < containers; ++i) {
      state.add_containers()->set_reason(std::string(1024, 'x'));
      state.mutable_containers(i)->set_exit_code(3);
    }
  }
  SECTION("many bindings") {
    containers = 10;
    for (int i = 0; i < containers; ++i) {
      state.add_containers()->set_exit_code(3);
      for (int port = 1; port < 30000; ++port) {
        state.mutable_containers(i)->add_network_bindings()->set_host_port(port);
      }
    }
  }
  queue.Add(state);
  queue.Add([] {
    v1::TaskState other;
    other.set_task_arn("task-2");
    other.set_sequence(1);
    return other;
  }());
  const std::optional<v1::StatusReport> report = queue.Next();
  REQUIRE(report.has_value());
  CHECK(report->ByteSizeLong() <= ReportQueue::kMaxReportBytes);
  const v1::TaskState& told = report->tasks(0);
  CHECK(told.last_status() == v1::TaskStatus::STOPPED);
  CHECK(told.stopped_reason() == "Essential container in task exited");
  CHECK(told.containers_size() == containers);
  CHECK(told.containers(0).exit_code() == 3);
  CHECK(told.waiting_reason().find("was shortened") != std::string::npos);
  CHECK(queue.Ack(report->report_id()) == std::vector<std::string>{"task-1"});
}

}  // namespace
}  // namespace davit::session
