#include "controller/change/deadlines.h"

#include <catch2/catch.hpp>

namespace davit::controller::change {
namespace {

using Kind = Deadline::Kind;

TEST_CASE("what is due comes once, the earliest first", "[deadlines]") {
  Deadlines deadlines;
  deadlines.Set({Kind::kSilence, "b"}, absl::Seconds(2));
  deadlines.Set({Kind::kSilence, "a"}, absl::Seconds(1));
  deadlines.Set({Kind::kAbsence, "a"}, absl::Seconds(3));
  CHECK(deadlines.TakeDue(absl::Milliseconds(999), 10).empty());
  CHECK(deadlines.TakeDue(absl::Seconds(2), 10) ==
        std::vector<Deadline>{{Kind::kSilence, "a"}, {Kind::kSilence, "b"}});
  CHECK(deadlines.TakeDue(absl::Seconds(2), 10).empty());
  CHECK(deadlines.size() == 1);
}

TEST_CASE("a deadline can be moved, either way, and called off", "[deadlines]") {
  Deadlines deadlines;
  const Deadline one{Kind::kSilence, "a"};
  deadlines.Set(one, absl::Seconds(5));
  deadlines.Set(one, absl::Seconds(9));
  CHECK(deadlines.TakeDue(absl::Seconds(5), 10).empty());
  deadlines.Set(one, absl::Seconds(1));
  CHECK(deadlines.TakeDue(absl::Seconds(1), 10).size() == 1);
  deadlines.Set(one, absl::Seconds(1));
  deadlines.Clear(one);
  deadlines.Clear(one);
  CHECK(deadlines.TakeDue(absl::Seconds(1), 10).empty());
}

TEST_CASE("no more are taken than are wanted", "[deadlines]") {
  Deadlines deadlines;
  for (const char* name : {"a", "b", "c"}) deadlines.Set({Kind::kSilence, name}, absl::Seconds(1));
  CHECK(deadlines.TakeDue(absl::Seconds(1), 2).size() == 2);
  CHECK(deadlines.TakeDue(absl::Seconds(1), 2).size() == 1);
}

}  // namespace
}  // namespace davit::controller::change
