// A test program of known outcomes, for check_main.py. It is no test of its own.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/support/skip.h"

namespace davit::test {
namespace {

class Fixture {
 public:
  Fixture() { Skip("the fixture needs the moon"); }
};

TEST_CASE("passes") { CHECK(1 + 1 == 2); }

TEST_CASE("skips in a section") {
  SECTION("one") { Skip("needs the moon"); }
  SECTION("two") { Skip("needs the moon, too"); }
}

TEST_CASE_METHOD(Fixture, "skips in its fixture") { FAIL("it was to be skipped"); }

TEST_CASE("fails") { CHECK(1 + 1 == 3); }

TEST_CASE("fails, then skips") {
  CHECK(1 + 1 == 3);
  Skip("needs the moon");
}

TEST_CASE("crashes") { std::abort(); }

}  // namespace
}  // namespace davit::test
