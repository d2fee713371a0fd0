#include "controller/loop/assignment_queue.h"

#include <catch2/catch.hpp>
#include <string>

namespace davit::controller::loop {
namespace {

const char kDefinition[] = "arn:aws:ecs:us-east-1:000000000000:task-definition/web:1";

change::Assignments Set(const std::string& task, uint64_t version = 1, bool is_complete = false) {
  change::Assignments set;
  set.is_complete = is_complete;
  set.protocol_version = 2;
  v1::Assignment& assignment = set.assignments.emplace_back();
  assignment.set_task_arn(task);
  assignment.set_version(version);
  assignment.set_task_definition_arn(kDefinition);
  v1::StoredTaskDefinition definition;
  definition.mutable_content()->set_family("web");
  set.definitions.emplace_back(kDefinition,
                               std::make_shared<const v1::StoredTaskDefinition>(definition));
  return set;
}

change::Assignments Removal(const std::string& task) {
  change::Assignments set;
  set.removed_task_arns.push_back(task);
  return set;
}

TEST_CASE("sets that wait become one, with the latest of each task", "[queue]") {
  AssignmentQueue queue;
  queue.Push("s", Set("before"));
  CHECK(queue.Pop()->assignment_set().results_in() == 1);
  queue.Push("s", Set("a", 1));
  queue.Push("s", Set("b", 1));
  queue.Push("s", Set("a", 2));
  const v1::ControllerMessage message = *queue.Pop();
  CHECK(message.session_id() == "s");
  const v1::AssignmentSet& set = message.assignment_set();
  CHECK(queue.empty());
  CHECK(set.type() == v1::AssignmentSet::INCREMENTAL);
  CHECK(set.applies_to() == 1);
  CHECK(set.results_in() == 2);
  REQUIRE(set.assignments_size() == 2);
  CHECK(set.assignments(0).version() == 2);
  CHECK(set.assignments(1).task_arn() == "b");
}

TEST_CASE("what follows a COMPLETE set joins it; a removal leaves out", "[queue]") {
  AssignmentQueue queue;
  queue.Push("s", Set("a", 1, true));
  queue.Push("s", Set("b"));
  queue.Push("s", Removal("a"));
  const v1::AssignmentSet set = queue.Pop()->assignment_set();
  CHECK(set.type() == v1::AssignmentSet::COMPLETE);
  CHECK(set.results_in() == 1);
  REQUIRE(set.assignments_size() == 1);
  CHECK(set.assignments(0).task_arn() == "b");
  CHECK(set.removed_task_arns().empty());
}

TEST_CASE("a removal of a waiting assignment replaces it", "[queue]") {
  AssignmentQueue queue;
  queue.Push("s", Set("a"));
  queue.Push("s", Removal("a"));
  const v1::AssignmentSet set = queue.Pop()->assignment_set();
  CHECK(set.assignments().empty());
  CHECK(set.removed_task_arns(0) == "a");
}

TEST_CASE("the order among different messages stays", "[queue]") {
  AssignmentQueue queue;
  queue.Push("s", Set("a"));
  v1::ControllerMessage ack;
  ack.mutable_report_ack()->set_report_id(9);
  queue.Push(ack);
  queue.Push("s", Set("b"));
  CHECK(queue.size() == 3);
  CHECK(queue.Pop()->has_assignment_set());
  CHECK(queue.Pop()->has_report_ack());
  CHECK(queue.Pop()->assignment_set().results_in() == 2);
  CHECK_FALSE(queue.Pop().has_value());
}

TEST_CASE("a stream carries each task definition once", "[queue]") {
  AssignmentQueue queue;
  queue.Push("s", Set("a"));
  queue.Push("s", Set("b"));
  const v1::AssignmentSet first = queue.Pop()->assignment_set();
  REQUIRE(first.task_definitions_size() == 1);
  CHECK(first.task_definitions(0).family() == "web");
  CHECK(first.task_definitions(0).task_definition_arn() == kDefinition);
  queue.Push("s", Set("c"));
  queue.Push("s", Set("d", 1, true));
  CHECK(queue.Pop()->assignment_set().task_definitions().empty());
}

TEST_CASE("a definition that the store lacked is carried when it is there", "[queue]") {
  AssignmentQueue queue;
  change::Assignments without = Set("a");
  without.definitions.clear();
  queue.Push("s", without);
  CHECK(queue.Pop()->assignment_set().task_definitions().empty());
  queue.Push("s", Set("b"));
  CHECK(queue.Pop()->assignment_set().task_definitions_size() == 1);
}

TEST_CASE("an agent of protocol version 1 gets every task definition in its assignment",
          "[queue]") {
  AssignmentQueue queue;
  for (const char* task : {"a", "b"}) {
    change::Assignments set = Set(task);
    set.protocol_version = 1;
    queue.Push("s", set);
    const v1::AssignmentSet sent = queue.Pop()->assignment_set();
    CHECK(sent.task_definitions().empty());
    CHECK(sent.assignments(0).task_definition().family() == "web");
    CHECK(sent.assignments(0).task_definition().task_definition_arn() == kDefinition);
  }
}

TEST_CASE("a large set comes in several messages of bounded size, one set all the same",
          "[queue]") {
  AssignmentQueue queue;
  change::Assignments set;
  set.is_complete = true;
  set.protocol_version = 2;
  const int kTasks = 100;
  for (int i = 0; i < kTasks; ++i) {
    v1::Assignment& assignment = set.assignments.emplace_back();
    assignment.set_task_arn(std::to_string(i));
    assignment.set_task_definition_arn(kDefinition);
    assignment.mutable_overrides()->add_container_overrides()->add_command(
        std::string(AssignmentQueue::kMessageBytes / 20, 'x'));
  }
  queue.Push("s", set);
  int assignments = 0;
  int parts = 0;
  while (true) {
    const v1::AssignmentSet part = queue.Pop()->assignment_set();
    if (parts == 0) queue.Push("s", Set("next"));
    CHECK(part.ByteSizeLong() < 2 * AssignmentQueue::kMessageBytes);
    CHECK(part.type() == v1::AssignmentSet::COMPLETE);
    CHECK(part.results_in() == 1);
    assignments += part.assignments_size();
    ++parts;
    if (!part.has_more()) break;
  }
  CHECK(parts >= 5);
  CHECK(assignments == kTasks);
  const v1::AssignmentSet next = queue.Pop()->assignment_set();
  CHECK(next.applies_to() == 1);
  CHECK(next.results_in() == 2);
}

}  // namespace
}  // namespace davit::controller::loop
