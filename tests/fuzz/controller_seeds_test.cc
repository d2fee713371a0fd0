#include <catch2/catch.hpp>

#include "tests/fuzz/fuzz_targets.h"
#include "tests/fuzz/run_seeds.h"

namespace davit::fuzz {
namespace {

TEST_CASE("no parser of the controller falls over its seeds", "[fuzz]") {
  CHECK(RunSeeds("agent_message", FuzzAgentMessage) > 0);
  CHECK(RunSeeds("api_json", FuzzApiJson) > 0);
  CHECK(RunSeeds("sigv4", FuzzSigv4) > 0);
  CHECK(RunSeeds("task_definition", FuzzTaskDefinition) > 0);
}

}  // namespace
}  // namespace davit::fuzz
