#include "agent/config.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/file.h"
#include "tests/support/scratch_folder.h"

namespace davit {
namespace {

constexpr char kTls[] =
    "[controller]\nca_file = \"/ca\"\ncert_file = \"/cert\"\nkey_file = \"/key\"\n";

absl::StatusOr<AgentConfig> Load(const std::string& text, bool dev = true) {
  const test::ScratchFolder folder;
  REQUIRE(WriteFileAtomically(folder.File("agent.toml"), text).ok());
  return LoadAgentConfig(folder.File("agent.toml"), dev);
}

std::string Problems(const std::string& text, bool dev = true) {
  const auto config = Load(text, dev);
  CHECK(absl::IsInvalidArgument(config.status()));
  return std::string(config.status().message());
}

TEST_CASE("an empty file means the defaults", "[config]") {
  AgentConfig expected;
  expected.dev = true;
  CHECK(*Load("") == expected);
}

TEST_CASE("every key sets its field", "[config]") {
  const auto config = Load(R"(
[agent]
cluster = "blue"
[controller]
endpoints = ["a:1", "[::1]:2"]
stop_after_disconnect = "10m"
[instance]
id = "i-1"
reserved_ports = [80]
attributes = { rack = "b2" }
[containerd]
namespace = "other"
[cgroup]
parent = "/a/b"
[network]
bridge = "br1"
subnet = "192.168.4.0/24"
host_port_range = "40000-40010"
[gpu]
devices = { "GPU-a" = ["/dev/nvidia0"] }
common_devices = ["/dev/nvidiactl"]
mounts = { "/usr/local/nvidia" = "/opt/nvidia" }
[container_log]
max_files = 2
[tasks]
stop_timeout = "1m30s"
[http]
port = 1234
[logging]
level = "debug"
format = "json"
)");
  REQUIRE(config.ok());
  CHECK(config->cluster == "blue");
  CHECK(config->endpoints == std::vector<std::string>{"a:1", "[::1]:2"});
  CHECK(config->stop_after_disconnect == absl::Minutes(10));
  CHECK(config->instance_id == "i-1");
  CHECK(config->reserved_ports == std::vector<int>{80});
  CHECK(config->attributes.at("rack") == "b2");
  CHECK(config->containerd_namespace == "other");
  CHECK(config->cgroup_parent == "/a/b");
  CHECK(config->bridge == "br1");
  CHECK(config->subnet == "192.168.4.0/24");
  CHECK(config->host_port_range == "40000-40010");
  CHECK(config->gpu_devices.at("GPU-a") == std::vector<std::string>{"/dev/nvidia0"});
  CHECK(config->gpu_common_devices == std::vector<std::string>{"/dev/nvidiactl"});
  CHECK(config->gpu_mounts.at("/usr/local/nvidia") == "/opt/nvidia");
  CHECK(config->log_max_files == 2);
  CHECK(config->stop_timeout == absl::Seconds(90));
  CHECK(config->http_port == 1234);
  CHECK(config->log_level == LogLevel::kDebug);
  CHECK(config->log_format == LogFormat::kJson);
}

TEST_CASE("without TLS files the agent starts only in dev mode", "[config]") {
  CHECK_THAT(Problems("", /*dev=*/false),
             Catch::Contains("controller.ca_file, cert_file and key_file must be set"));
  CHECK(Load("[agent]\ndev = true\n", /*dev=*/false)->dev);
  CHECK(Load("[agent]\ndev = false\n", /*dev=*/true)->dev);
  const auto with_tls = Load(kTls, /*dev=*/false);
  REQUIRE(with_tls.ok());
  CHECK_FALSE(with_tls->dev);
  CHECK_THAT(Problems("[controller]\nca_file = \"/ca\"\n", /*dev=*/false),
             Catch::Contains("must be set"));
}

TEST_CASE("a wrong value is refused with its key and a correct value", "[config]") {
  struct Row {
    std::string section;
    std::string line;
    std::string problem;
  };
  const auto row = GENERATE(values<Row>({
      {"agent", "cluster = \"\"", "agent.cluster must have 1 to 255 letters"},
      {"agent", "cluster = \"a b\"", "agent.cluster must have"},
      {"agent", "cluster = 1", "agent.cluster must be a string"},
      {"agent", "state_dir = \"state\"", "agent.state_dir must be an absolute path"},
      {"agent", "run_dir = \"\"", "agent.run_dir must be an absolute path"},
      {"agent", "dev = \"yes\"", "agent.dev must be true or false"},
      {"controller", "endpoints = []", "controller.endpoints must name at least one host:port"},
      {"controller", "endpoints = [\"a:1\", \"host\"]",
       "controller.endpoints has 'host', which is not host:port"},
      {"controller", "endpoints = [\"host:0\"]", "has 'host:0'"},
      {"controller", "endpoints = [\":51680\"]", "has ':51680'"},
      {"controller", "stop_after_disconnect = \"5s\"",
       "controller.stop_after_disconnect must be 0s or at least 10s"},
      {"controller", "stop_after_disconnect = 60",
       "controller.stop_after_disconnect must be a duration with a unit"},
      {"instance", "reserved_memory_mib = -1",
       "instance.reserved_memory_mib must be a whole number from 0"},
      {"instance", "reserved_ports = [65536]",
       "instance.reserved_ports must be a list of whole numbers from 1 to 65535"},
      {"instance", "reserved_udp_ports = [0]", "instance.reserved_udp_ports must be a list"},
      {"instance", "attributes = { a = 1 }", "instance.attributes must be a table of strings"},
      {"containerd", "address = \"containerd.sock\"",
       "containerd.address must be an absolute path"},
      {"containerd", "namespace = \"\"", "containerd.namespace must not be empty"},
      {"cgroup", "parent = \"davit\"", "cgroup.parent must be an absolute path below the root"},
      {"cgroup", "parent = \"/\"", "cgroup.parent must be"},
      {"cgroup", "parent = \"/a/../..\"", "cgroup.parent must be"},
      {"network", "bridge = \"\"", "network.bridge must be the name of a network interface"},
      {"network", "bridge = \"a-name-that-is-too-long\"", "network.bridge must be"},
      {"network", "bridge = \"a/b\"", "network.bridge must be"},
      {"network", "subnet = \"10.0.0.0\"", "network.subnet must be an IPv4 network"},
      {"network", "subnet = \"10.0.0.0/33\"", "network.subnet must be"},
      {"network", "subnet = \"fd00::/64\"", "network.subnet must be"},
      {"network", "cni_plugin_dir = \"cni\"", "network.cni_plugin_dir must be an absolute path"},
      {"network", "host_port_range = \"9-1\"",
       "network.host_port_range '9-1' is not a range of ports"},
      {"image", "insecure_registries = \"x\"",
       "image.insecure_registries must be a list of strings"},
      {"image", "concurrent_layers = 0",
       "image.concurrent_layers must be a whole number from 1 to 64"},
      {"gpu", "devices = [\"/dev/nvidia0\"]", "gpu.devices must be a table of lists of strings"},
      {"gpu", "devices = { a = \"/dev/nvidia0\" }", "gpu.devices must be a table of lists"},
      {"gpu", "devices = { all = [\"/dev/nvidia0\"] }",
       "gpu.devices has 'all', which is not a GPU id"},
      {"gpu", "devices = { \"a,b\" = [\"/dev/nvidia0\"] }", "gpu.devices has 'a,b'"},
      {"gpu", "devices = { a = [] }", "gpu.devices must name a device node of GPU a"},
      {"gpu", "devices = { a = [\"nvidia0\"] }",
       "gpu.devices and common_devices have 'nvidia0', which is not below /dev"},
      {"gpu", "common_devices = [\"/tmp/x\"]", "have '/tmp/x', which is not below /dev"},
      {"gpu", "mounts = { \"/\" = \"/opt\" }", "gpu.mounts has '/' = '/opt'"},
      {"gpu", "mounts = { \"/a\" = \"opt\" }", "gpu.mounts has '/a' = 'opt'"},
      {"container_log", "logger_path = \"davit-logger\"",
       "container_log.logger_path must be an absolute path"},
      {"container_log", "max_size_mib = 0", "container_log.max_size_mib must be"},
      {"container_log", "max_files = 0",
       "container_log.max_files must be a whole number from 1 to 1000"},
      {"tasks", "stop_timeout = \"0s\"", "tasks.stop_timeout must be a duration"},
      {"tasks", "cleanup_after = \"never\"", "tasks.cleanup_after must be a duration"},
      {"http", "port = 0", "http.port must be a whole number from 1 to 65535"},
      {"logging", "level = \"loud\"", "logging.level must be debug, info, warning or error"},
      {"logging", "format = \"xml\"", "logging.format must be logfmt or json"},
      {"logging", "colour = true", "unknown key logging.colour"},
      {"loging", "level = \"info\"", "unknown section [loging]"},
  }));
  CAPTURE(row.line);
  const std::string problems = Problems("[" + row.section + "]\n" + row.line + "\n");
  CHECK_THAT(problems, Catch::Contains(row.problem));
  CHECK(std::count(problems.begin(), problems.end(), '\n') == 0);
}

TEST_CASE("all problems of the file are reported at once", "[config]") {
  const std::string problems =
      Problems("[http]\nport = 0\n[network]\nbridge = \"\"\n[tasks]\ntypo = 1\n");
  CHECK(std::count(problems.begin(), problems.end(), '\n') == 2);
  CHECK_THAT(problems, Catch::Contains("http.port") && Catch::Contains("network.bridge") &&
                           Catch::Contains("tasks.typo"));
}

TEST_CASE("a missing file is NotFound", "[config]") {
  const auto config = LoadAgentConfig("/no/such/agent.toml", true);
  CHECK(absl::IsNotFound(config.status()));
  CHECK_THAT(std::string(config.status().message()), Catch::Contains("/no/such/agent.toml"));
}

}  // namespace
}  // namespace davit
