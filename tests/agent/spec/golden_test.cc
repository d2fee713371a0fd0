// golden/NAME.json holds a case: {"taskDefinition", "image"} and, if needed, {"overrides", "host",
// "place"}. golden/NAME.config.json holds the OCI config.json of its first container. After an
// intended change, rewrite them with DAVIT_UPDATE_GOLDEN=1 and review the difference.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;

std::vector<std::string> CaseNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(DAVIT_GOLDEN_DIR)) {
    const std::filesystem::path name = entry.path().stem();
    if (name.extension() != ".config") names.push_back(name.string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

template <typename Message>
void Read(const Json& object, const char* name, Message* message) {
  const std::string text = object.value(name, Json::object()).dump();
  const auto status = google::protobuf::util::JsonStringToMessage(text, message);
  INFO(status.ToString());
  REQUIRE(status.ok());
}

void ReadHost(const Json& json, HostFacts* host) {
  host->cgroup_v2 = json.value("cgroupV2", false);
  host->seccomp_profile_json = json.contains("seccomp") ? json["seccomp"].dump() : "";
  const Json devices = json.value("devices", Json::object());
  for (const auto& [path, node] : devices.items()) {
    host->devices[path] = {node[0].get<std::string>()[0], node[1], node[2]};
  }
}

void ReadPlace(const Json& json, ContainerPlace* place) {
  place->volumes = json.value("volumes", place->volumes);
  place->passwd = json.value("passwd", "");
  place->group = json.value("group", "");
  place->hosts_path = json.value("hostsPath", "");
  place->extra_environment = json.value("extraEnvironment", place->extra_environment);
  place->network_namespace_path = json.value("networkNamespacePath", place->network_namespace_path);
}

Fixture ReadCase(const Json& json) {
  Fixture fixture;
  fixture.task.Clear();
  Read(json, "taskDefinition", &fixture.task);
  Read(json, "overrides", &fixture.overrides);
  const absl::StatusOr<ImageConfig> image = ParseImageConfig(json.at("image").dump());
  INFO(image.status().ToString());
  REQUIRE(image.ok());
  fixture.image = *image;
  ReadHost(json.value("host", Json::object()), &fixture.host);
  ReadPlace(json.value("place", Json::object()), &fixture.place);
  return fixture;
}

TEST_CASE("every golden task definition produces the OCI spec beside it", "[spec]") {
  const std::vector<std::string> names = CaseNames();
  REQUIRE(names.size() >= 4);
  for (const std::string& name : names) {
    CAPTURE(name);
    const std::string stem = std::string(DAVIT_GOLDEN_DIR) + "/" + name;
    const absl::StatusOr<std::string> input = ReadFile(stem + ".json");
    REQUIRE(input.ok());
    const Fixture fixture = ReadCase(Json::parse(*input));
    REQUIRE(fixture.Error() == "OK");
    CHECK(UnsupportedMembers(fixture.task).empty());
    const Json spec = fixture.Build();
    if (std::getenv("DAVIT_UPDATE_GOLDEN") != nullptr) {
      REQUIRE(WriteFileAtomically(stem + ".config.json", spec.dump(2) + "\n").ok());
    }
    const absl::StatusOr<std::string> expected = ReadFile(stem + ".config.json");
    REQUIRE(expected.ok());
    CHECK(Json::diff(Json::parse(*expected), spec) == Json::array());
  }
}

}  // namespace
}  // namespace davit::spec
