#include "controller/loop/assignment_queue.h"

#include <catch2/catch.hpp>
#include <string>

namespace davit::loop {
namespace {

v1::ControllerMessage Set(v1::AssignmentSet::Type type, uint64_t from, uint64_t to,
                          const std::string& task = "", uint64_t version = 1) {
  v1::ControllerMessage message;
  v1::AssignmentSet* set = message.mutable_assignment_set();
  set->set_type(type);
  set->set_applies_to(from);
  set->set_results_in(to);
  if (!task.empty()) {
    set->add_assignments()->set_task_arn(task);
    set->mutable_assignments(0)->set_version(version);
  }
  return message;
}

v1::ControllerMessage Removal(uint64_t from, uint64_t to, const std::string& task) {
  v1::ControllerMessage message = Set(v1::AssignmentSet::INCREMENTAL, from, to);
  message.mutable_assignment_set()->add_removed_task_arns(task);
  return message;
}

TEST_CASE("sets that wait become one, with the latest of each task", "[queue]") {
  AssignmentQueue queue;
  queue.Push(Set(v1::AssignmentSet::INCREMENTAL, 4, 5, "a", 1));
  queue.Push(Set(v1::AssignmentSet::INCREMENTAL, 5, 6, "b", 1));
  queue.Push(Set(v1::AssignmentSet::INCREMENTAL, 6, 7, "a", 2));
  const v1::AssignmentSet set = queue.Pop()->assignment_set();
  CHECK(queue.empty());
  CHECK(set.applies_to() == 4);
  CHECK(set.results_in() == 7);
  REQUIRE(set.assignments_size() == 2);
  CHECK(set.assignments(0).version() == 2);
  CHECK(set.assignments(1).task_arn() == "b");
}

TEST_CASE("what follows a COMPLETE set joins it; a removal leaves out", "[queue]") {
  AssignmentQueue queue;
  queue.Push(Set(v1::AssignmentSet::COMPLETE, 0, 1, "a"));
  queue.Push(Set(v1::AssignmentSet::INCREMENTAL, 1, 2, "b"));
  queue.Push(Removal(2, 3, "a"));
  const v1::AssignmentSet set = queue.Pop()->assignment_set();
  CHECK(set.type() == v1::AssignmentSet::COMPLETE);
  CHECK(set.results_in() == 3);
  REQUIRE(set.assignments_size() == 1);
  CHECK(set.assignments(0).task_arn() == "b");
  CHECK(set.removed_task_arns().empty());
}

TEST_CASE("a removal of a waiting assignment replaces it", "[queue]") {
  AssignmentQueue queue;
  queue.Push(Set(v1::AssignmentSet::INCREMENTAL, 4, 5, "a"));
  queue.Push(Removal(5, 6, "a"));
  const v1::AssignmentSet set = queue.Pop()->assignment_set();
  CHECK(set.assignments().empty());
  CHECK(set.removed_task_arns(0) == "a");
}

TEST_CASE("the order among different messages stays", "[queue]") {
  AssignmentQueue queue;
  queue.Push(Set(v1::AssignmentSet::INCREMENTAL, 4, 5, "a"));
  v1::ControllerMessage ack;
  ack.mutable_report_ack()->set_report_id(9);
  queue.Push(ack);
  queue.Push(Set(v1::AssignmentSet::INCREMENTAL, 5, 6, "b"));
  CHECK(queue.size() == 3);
  CHECK(queue.Pop()->has_assignment_set());
  CHECK(queue.Pop()->has_report_ack());
  CHECK(queue.Pop()->assignment_set().results_in() == 6);
  CHECK_FALSE(queue.Pop().has_value());
}

}  // namespace
}  // namespace davit::loop
