#include "agent/session/report_queue.h"

#include <catch2/catch.hpp>

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

TEST_CASE("only so many reports are under way", "[report_queue]") {
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

TEST_CASE("an answer names the tasks whose terminal status it covers, once", "[report_queue]") {
  ReportQueue queue;
  queue.Add(State("a", 1, v1::TaskStatus::STOPPED));
  queue.Add(State("b", 1));
  const auto report = queue.Next();
  CHECK(queue.Ack(report->report_id()) == std::vector<std::string>{"a"});
  CHECK(queue.Ack(report->report_id()).empty());
  CHECK(queue.Ack(999).empty());
}

TEST_CASE("with the connection goes all that was for it", "[report_queue]") {
  ReportQueue queue;
  queue.Add(State("a", 1, v1::TaskStatus::STOPPED));
  const auto report = queue.Next();
  queue.Add(State("b", 1));
  queue.Clear();
  CHECK(queue.waiting() == 0);
  CHECK(queue.in_flight() == 0);
  CHECK(queue.Ack(report->report_id()).empty());
}

}  // namespace
}  // namespace davit::session
