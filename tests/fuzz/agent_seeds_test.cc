#include <catch2/catch.hpp>

#include "tests/fuzz/fuzz_targets.h"
#include "tests/fuzz/run_seeds.h"

namespace davit::fuzz {
namespace {

TEST_CASE("no parser of the agent crashes on its seeds", "[fuzz]") {
  CHECK(RunSeeds("auth_challenge", FuzzAuthChallenge) > 0);
  CHECK(RunSeeds("cgroup_mounts", FuzzCgroupMounts) > 0);
  CHECK(RunSeeds("cni_result", FuzzCniResult) > 0);
  CHECK(RunSeeds("config", FuzzConfig) > 0);
  CHECK(RunSeeds("controller_message", FuzzControllerMessage) > 0);
  CHECK(RunSeeds("image_config", FuzzImageConfig) > 0);
  CHECK(RunSeeds("image_reference", FuzzImageReference) > 0);
  CHECK(RunSeeds("json_line", FuzzJsonLine) > 0);
  CHECK(RunSeeds("manifest", FuzzManifest) > 0);
  CHECK(RunSeeds("oci_spec", FuzzOciSpec) > 0);
  CHECK(RunSeeds("task_record", FuzzTaskRecord) > 0);
}

}  // namespace
}  // namespace davit::fuzz
