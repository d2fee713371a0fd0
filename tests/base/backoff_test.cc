#include "base/backoff.h"

#include <catch2/catch.hpp>

namespace davit {
namespace {

TEST_CASE("the ceiling of the delay doubles up to the maximum", "[backoff]") {
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(1));
  CHECK(backoff.Next(0.5) == absl::Milliseconds(50));
  CHECK(backoff.Next(0.5) == absl::Milliseconds(100));
  CHECK(backoff.Next(0.5) == absl::Milliseconds(200));
  CHECK(backoff.Next(0.5) == absl::Milliseconds(400));
  CHECK(backoff.Next(0.5) == absl::Milliseconds(500));
  CHECK(backoff.Next(0.5) == absl::Milliseconds(500));
}

TEST_CASE("the delay may be zero, as full jitter demands", "[backoff]") {
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(1));
  CHECK(backoff.Next(0.0) == absl::ZeroDuration());
}

TEST_CASE("after a success the delays restart at the first", "[backoff]") {
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(1));
  for (int i = 0; i < 10; ++i) backoff.Next(0.5);
  backoff.Reset();
  CHECK(backoff.Next(0.5) == absl::Milliseconds(50));
}

TEST_CASE("the maximum also limits the first delay, even after a reset", "[backoff]") {
  Backoff backoff(absl::Seconds(10), absl::Seconds(1));
  CHECK(backoff.Next(0.5) == absl::Milliseconds(500));
  backoff.Reset();
  CHECK(backoff.Next(0.5) == absl::Milliseconds(500));
}

TEST_CASE("random delays stay within the bounds", "[backoff]") {
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(15));
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration delay = backoff.Next();
    REQUIRE(delay >= absl::ZeroDuration());
    REQUIRE(delay <= absl::Seconds(15));
  }
}

}  // namespace
}  // namespace davit
