#include "agent/spec/gpus.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;
using Strings = std::vector<std::string>;

constexpr char kOneGpu[] = R"({"resourceRequirements": [{"type": "GPU", "value": "1"}]})";

// A host with two GPUs. The container has the second.
struct GpuFixture : Fixture {
  explicit GpuFixture(const std::string& container_json = kOneGpu) : Fixture(container_json) {
    host.devices = {{"/dev/nvidia0", {'c', 195, 0, 0666, 0, 0}},
                    {"/dev/nvidia1", {'c', 195, 1, 0666, 0, 0}},
                    {"/dev/nvidiactl", {'c', 195, 255, 0666, 0, 0}}};
    host.gpus = {{"GPU-a", {"/dev/nvidia0"}}, {"GPU-b", {"/dev/nvidia1"}}};
    host.gpu_common_devices = {"/dev/nvidiactl"};
    host.gpu_mounts = {{"/usr/local/nvidia", "/opt/nvidia"}};
    place.gpu_ids = {"GPU-b"};
  }
  Strings DevicePaths() const {
    Strings paths;
    const Json spec = Build();
    for (const Json& node : spec["linux"].value("devices", Json::array()))
      paths.push_back(node["path"]);
    return paths;
  }
  // "" if there is none.
  std::string Variable(const std::string& name) const {
    const Json spec = Build();
    for (const Json& variable : spec["process"]["env"]) {
      const std::string text = variable;
      if (text.rfind(name + "=", 0) == 0) return text.substr(name.size() + 1);
    }
    return "";
  }
  bool HasMount(const std::string& path) const {
    const Json spec = Build();
    return std::any_of(spec["mounts"].begin(), spec["mounts"].end(),
                       [&path](const Json& mount) { return mount["destination"] == path; });
  }
};

TEST_CASE("a container has the nodes of its own GPUs only, and may use them", "[spec]") {
  const GpuFixture fixture;
  CHECK(fixture.DevicePaths() == Strings{"/dev/nvidia1", "/dev/nvidiactl"});
  const Json rules = fixture.Build()["linux"]["resources"]["devices"];
  REQUIRE(rules.size() == 9);
  CHECK(rules[7] ==
        Json::parse(R"({"allow": true, "type": "c", "major": 195, "minor": 1, "access": "rw"})"));
  CHECK(rules[8]["minor"] == 255);
  CHECK(fixture.HasMount("/usr/local/nvidia"));
}

TEST_CASE("NVIDIA_VISIBLE_DEVICES lists the assigned GPUs, whatever the definition says",
          "[spec]") {
  GpuFixture fixture(
      R"({"resourceRequirements": [{"type": "GPU", "value": "2"}],
          "environment": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]})");
  fixture.place.gpu_ids = {"GPU-a", "GPU-b"};
  CHECK(fixture.Variable(kVisibleDevices) == "GPU-a,GPU-b");
  CHECK(fixture.Variable(kDriverCapabilities) == "compute,utility");
  fixture.image.environment = {"NVIDIA_DRIVER_CAPABILITIES=all"};
  CHECK(fixture.Variable(kDriverCapabilities) == "all");
}

TEST_CASE("a container without GPUs gets no part of one", "[spec]") {
  GpuFixture fixture("{}");
  fixture.place.gpu_ids.clear();
  CHECK(fixture.DevicePaths().empty());
  CHECK(fixture.Build()["linux"]["resources"]["devices"].size() == 7);
  CHECK(fixture.Variable(kVisibleDevices).empty());
  CHECK(fixture.Variable(kDriverCapabilities).empty());
  CHECK_FALSE(fixture.HasMount("/usr/local/nvidia"));
}

TEST_CASE("a privileged container has all devices once, and NVIDIA_VISIBLE_DEVICES", "[spec]") {
  GpuFixture fixture(
      R"({"privileged": true, "resourceRequirements": [{"type": "GPU", "value": "1"}]})");
  CHECK(fixture.DevicePaths() == Strings{"/dev/nvidia0", "/dev/nvidia1", "/dev/nvidiactl"});
  CHECK(fixture.Variable(kVisibleDevices) == "GPU-b");
}

TEST_CASE("a mount of the definition wins over the driver's", "[spec]") {
  GpuFixture fixture(
      R"({"resourceRequirements": [{"type": "GPU", "value": "1"}],
          "linuxParameters": {"tmpfs": [{"containerPath": "/usr/local/nvidia", "size": 1}]}})");
  const Json spec = fixture.Build();
  CHECK(std::count_if(spec["mounts"].begin(), spec["mounts"].end(), [](const Json& mount) {
          return mount["destination"] == "/usr/local/nvidia";
        }) == 1);
}

TEST_CASE("a container with fewer GPUs than required does not run", "[spec]") {
  GpuFixture fixture;
  std::string problem;
  SECTION("none was assigned") {
    fixture.place.gpu_ids.clear();
    problem = "resourceRequirements: 1 GPUs are required, but the controller assigned 0";
  }
  SECTION("the override asks for more") {
    v1::ResourceRequirement* more = fixture.AddOverride().add_resource_requirements();
    more->set_type("GPU");
    more->set_value("2");
    problem =
        "overrides.containerOverrides.resourceRequirements: 2 GPUs are required, but the "
        "controller "
        "assigned 1";
  }
  SECTION("the host has another") {
    fixture.place.gpu_ids = {"GPU-c"};
    problem = "resourceRequirements: this host has no GPU GPU-c (see gpu.devices in agent.toml)";
  }
  SECTION("no number") {
    fixture.web().mutable_resource_requirements(0)->set_value("many");
    problem = "resourceRequirements: 'many' is not a whole number of GPUs, at least 1";
  }
  CHECK(fixture.Error() == "INVALID_ARGUMENT: container 'web': " + problem);
}

}  // namespace
}  // namespace davit::spec
