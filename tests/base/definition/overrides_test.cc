#include "base/definition/overrides.h"

#include <catch2/catch.hpp>

namespace davit {
namespace {

TEST_CASE("the override of a container is found by name; without one, nothing is overridden",
          "[definition]") {
  v1::TaskOverride overrides;
  overrides.add_container_overrides()->set_name("a");
  overrides.mutable_container_overrides(0)->set_cpu(7);
  CHECK(OverrideOf(overrides, "a").cpu() == 7);
  CHECK_FALSE(OverrideOf(overrides, "b").has_cpu());
  CHECK_FALSE(OverrideOf({}, "a").has_cpu());
}

}  // namespace
}  // namespace davit
