#include "agent/spec/docker_volume.h"

#include <google/protobuf/util/json_util.h>

#include <catch2/catch.hpp>

namespace davit::spec {
namespace {

using Kind = DockerVolume::Kind;

absl::StatusOr<DockerVolume> Parse(const std::string& json) {
  v1::DockerVolumeConfiguration configuration;
  REQUIRE(google::protobuf::util::JsonStringToMessage(json, &configuration).ok());
  return ParseDockerVolume(configuration);
}

TEST_CASE("a Docker volume is a folder of the task unless it is shared", "[spec]") {
  const DockerVolume own =
      Parse(R"({"driver": "local", "scope": "task", "labels": {"a": "b"}})").value();
  CHECK(own.kind == Kind::kFolder);
  CHECK_FALSE(own.is_shared);
  const DockerVolume shared = Parse(R"({"scope": "shared", "autoprovision": true})").value();
  CHECK(shared.is_shared);
  CHECK(shared.autoprovision);
}

TEST_CASE("driverOpts make a Docker volume of memory or of a folder of the host", "[spec]") {
  const DockerVolume memory =
      Parse(
          R"({"driverOpts": {"type": "tmpfs", "device": "tmpfs", "o": "size=16m,uid=1000,mode=700"}})")
          .value();
  CHECK(memory.kind == Kind::kTmpfs);
  CHECK(memory.tmpfs_options == "size=16m,uid=1000,mode=700");
  const DockerVolume folder =
      Parse(R"({"driverOpts": {"type": "none", "device": "/srv/data", "o": "bind"}})").value();
  CHECK(folder.kind == Kind::kBind);
  CHECK(folder.device == "/srv/data");
}

TEST_CASE("other drivers and options of a Docker volume are refused", "[spec]") {
  const char* const json =
      GENERATE(R"({"driver": "rexray/ebs"})",
               R"({"driverOpts": {"type": "nfs", "device": ":/x", "o": "addr=h"}})",
               R"({"driverOpts": {"type": "tmpfs", "o": "size=1m,exec"}})",
               R"({"driverOpts": {"size": "10"}})",
               R"({"driverOpts": {"type": "none", "device": "relative", "o": "bind"}})",
               R"({"scope": "shared", "driverOpts": {"type": "tmpfs"}})",
               R"({"driverOpts": {"device": "/srv"}})");
  CHECK(Parse(json).status().code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace davit::spec
