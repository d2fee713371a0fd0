#include "agent/spec/image_config.h"

#include <catch2/catch.hpp>

namespace davit::spec {
namespace {

constexpr char kDigest[] =
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST_CASE("a docker image's configuration is parsed with everything that Davit uses",
          "[image_config]") {
  const auto image = ParseImageConfig(absl::StrCat(R"({
    "architecture": "arm64", "os": "linux", "created": "2026-01-01T00:00:00Z",
    "config": {
      "User": "1000:1000", "Env": ["PATH=/bin", "A="], "Entrypoint": ["/entry", "-x"],
      "Cmd": ["serve"], "WorkingDir": "/srv", "StopSignal": "SIGQUIT",
      "Volumes": {"/data": {}, "/cache": {}}, "Labels": {"maintainer": "someone"},
      "ExposedPorts": {"80/tcp": {}}
    },
    "rootfs": {"type": "layers", "diff_ids": [")",
                                                   kDigest, R"("]}, "history": []})"));
  REQUIRE(image.ok());
  ImageConfig expected;
  expected.entrypoint = {"/entry", "-x"};
  expected.command = {"serve"};
  expected.environment = {"PATH=/bin", "A="};
  expected.user = "1000:1000";
  expected.working_directory = "/srv";
  expected.stop_signal = "SIGQUIT";
  expected.volumes = {"/cache", "/data"};
  expected.labels = {{"maintainer", "someone"}};
  expected.diff_ids = {kDigest};
  expected.architecture = "arm64";
  expected.os = "linux";
  CHECK(*image == expected);
}

TEST_CASE("members that are null or absent mean none", "[image_config]") {
  const auto image = ParseImageConfig(R"({"os": "linux", "architecture": "amd64",
    "config": {"Cmd": null, "Env": null, "Labels": null, "Volumes": null, "Entrypoint": null},
    "rootfs": {"type": "layers", "diff_ids": null}})");
  REQUIRE(image.ok());
  ImageConfig expected;
  expected.os = "linux";
  expected.architecture = "amd64";
  CHECK(*image == expected);
}

TEST_CASE("a command that is one string becomes a list of one word", "[image_config]") {
  const auto image = ParseImageConfig(
      R"({"config": {"Cmd": "sh", "Entrypoint": "/init"}, "rootfs": {"type": "layers"}})");
  REQUIRE(image.ok());
  CHECK(image->command == std::vector<std::string>{"sh"});
  CHECK(image->entrypoint == std::vector<std::string>{"/init"});
}

TEST_CASE("an invalid image configuration is refused with the member's name", "[image_config]") {
  const auto refusal = [](absl::string_view json) {
    const auto image = ParseImageConfig(json);
    REQUIRE(image.status().code() == absl::StatusCode::kInvalidArgument);
    return std::string(image.status().message());
  };
  using Catch::Contains;
  CHECK_THAT(refusal(""), Contains("not JSON"));
  CHECK_THAT(refusal("{"), Contains("not JSON"));
  CHECK_THAT(refusal("[]"), Contains("object"));
  CHECK_THAT(refusal("{}"), Contains("rootfs"));
  CHECK_THAT(refusal(R"({"rootfs": {"type": "tree"}})"), Contains("rootfs.type"));
  CHECK_THAT(refusal(R"({"rootfs": {"type": "layers", "diff_ids": [1]}})"), Contains("diff_ids"));
  CHECK_THAT(refusal(R"({"os": 1, "rootfs": {"type": "layers"}})"), Contains("os"));
  CHECK_THAT(refusal(R"({"config": [], "rootfs": {"type": "layers"}})"), Contains("config"));
  CHECK_THAT(refusal(R"({"config": {"Env": [{}]}})"), Contains("Env"));
  CHECK_THAT(refusal(R"({"config": {"Cmd": 7}})"), Contains("Cmd"));
  CHECK_THAT(refusal(R"({"config": {"User": []}})"), Contains("User"));
  CHECK_THAT(refusal(R"({"config": {"Labels": {"a": 1}}})"), Contains("Labels"));
  CHECK_THAT(refusal(R"({"config": {"Volumes": ["/a"]}})"), Contains("Volumes"));
}

}  // namespace
}  // namespace davit::spec
