#include "base/clock.h"

#include <catch2/catch.hpp>

namespace davit {
namespace {

TEST_CASE("monotonic clocks do not go back, and sleep only adds time", "[clock]") {
  const Clock* clock = Clock::Real();
  const absl::Duration first = clock->Monotonic();
  CHECK(clock->Monotonic() >= first);
  CHECK(clock->MonotonicWithSleep() >= first);
}

TEST_CASE("epoch seconds keep milliseconds in both directions", "[clock]") {
  const absl::Time time = absl::FromUnixMillis(1'700'000'000'123);
  CHECK(ToEpochSeconds(time) == Approx(1'700'000'000.123));
  CHECK(FromEpochSeconds(ToEpochSeconds(time)) == time);
}

}  // namespace
}  // namespace davit
