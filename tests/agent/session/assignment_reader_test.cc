#include "agent/session/assignment_reader.h"

#include <catch2/catch.hpp>

namespace davit::session {
namespace {

v1::AssignmentSet Part(uint64_t results_in, const std::string& task, bool has_more) {
  v1::AssignmentSet part;
  part.set_results_in(results_in);
  part.set_has_more(has_more);
  part.add_assignments()->set_task_arn(task);
  part.mutable_assignments(0)->set_task_definition_arn("web:1");
  return part;
}

TEST_CASE("a set in several messages is one set", "[assignments]") {
  AssignmentReader reader;
  v1::AssignmentSet first = Part(1, "a", true);
  first.add_task_definitions()->set_task_definition_arn("web:1");
  first.mutable_task_definitions(0)->set_family("web");
  CHECK_FALSE(reader.Read(first).has_value());
  CHECK_FALSE(reader.Read(Part(1, "b", true)).has_value());
  const auto set = reader.Read(Part(1, "c", false));
  REQUIRE(set.has_value());
  REQUIRE(set->assignments_size() == 3);
  CHECK(set->assignments(0).task_arn() == "a");
  for (const v1::Assignment& assignment : set->assignments())
    CHECK(assignment.task_definition().family() == "web");
}

TEST_CASE("a definition is known for the rest of the session, and not in the next",
          "[assignments]") {
  AssignmentReader reader;
  v1::AssignmentSet first = Part(1, "a", false);
  first.add_task_definitions()->set_task_definition_arn("web:1");
  REQUIRE(reader.Read(first).has_value());
  CHECK(reader.Read(Part(2, "b", false))->assignments(0).has_task_definition());
  reader.Clear();
  CHECK_FALSE(reader.Read(Part(3, "c", false))->assignments(0).has_task_definition());
}

TEST_CASE("parts of a set that was never finished are dropped", "[assignments]") {
  AssignmentReader reader;
  CHECK_FALSE(reader.Read(Part(1, "a", true)).has_value());
  const auto set = reader.Read(Part(2, "b", false));
  REQUIRE(set.has_value());
  REQUIRE(set->assignments_size() == 1);
  CHECK(set->assignments(0).task_arn() == "b");
}

}  // namespace
}  // namespace davit::session
