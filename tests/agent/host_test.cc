#include "agent/host.h"

#include <catch2/catch.hpp>

namespace davit {
namespace {

resource::HostFacts Facts() {
  resource::HostFacts facts;
  facts.cores = 4;
  facts.memory_bytes = 8LL << 30;
  facts.architecture = "amd64";
  facts.boot_id = "boot-1";
  return facts;
}

resource::InstanceIdentity Identity() {
  resource::InstanceIdentity identity;
  identity.ec2_instance_id = "i-1";
  identity.availability_zone = "eu-west-1a";
  return identity;
}

std::map<std::string, std::string> Attributes(const v1::Hello& hello) {
  std::map<std::string, std::string> attributes;
  for (const v1::Attribute& attribute : hello.attributes())
    attributes[attribute.name()] = attribute.value();
  return attributes;
}

TEST_CASE("tasks may use all cores and all memory and ports that are not reserved", "[host]") {
  AgentConfig config;
  config.reserved_memory_mib = 192;
  config.reserved_udp_ports = {53};
  const task::ResourceNeeds capacity = CapacityOf(config, Facts());
  CHECK(capacity.cpu == 4096);
  CHECK(capacity.memory == 8000);
  CHECK(capacity.tcp_ports == std::set<int>{22, 51678, 51680});
  CHECK(capacity.udp_ports == std::set<int>{53});
}

TEST_CASE("a reserve larger than the host leaves zero", "[host]") {
  AgentConfig config;
  config.reserved_memory_mib = 1 << 20;
  CHECK(CapacityOf(config, Facts()).memory == 0);
}

TEST_CASE("Hello has ECS's resources and attributes", "[host]") {
  AgentConfig config;
  config.cluster = "blue";
  config.attributes = {{"rack", "b2"}, {"flag", ""}};
  const v1::Hello hello = HelloOf(config, Facts(), Identity(), "containerd 1.6");
  CHECK(hello.cluster() == "blue");
  CHECK(hello.ec2_instance_id() == "i-1");
  CHECK(hello.boot_id() == "boot-1");
  CHECK(hello.protocol_version() == 2);
  CHECK(hello.version_info().docker_version() == "containerd 1.6");
  REQUIRE(hello.resources_size() == 4);
  CHECK(hello.resources(0).name() == "CPU");
  CHECK(hello.resources(0).integer_value() == 4096);
  CHECK(hello.resources(1).name() == "MEMORY");
  CHECK(hello.resources(1).integer_value() == 8192 - 64);
  CHECK(hello.resources(2).name() == "PORTS");
  CHECK(hello.resources(2).string_set_value_size() == 3);
  CHECK(hello.resources(3).name() == "PORTS_UDP");
  const auto attributes = Attributes(hello);
  CHECK(attributes.at("ecs.os-type") == "linux");
  CHECK(attributes.at("ecs.cpu-architecture") == "x86_64");
  CHECK(attributes.at("ecs.availability-zone") == "eu-west-1a");
  CHECK(attributes.at("rack") == "b2");
  CHECK(attributes.count("flag") == 1);
  CHECK(attributes.count("com.amazonaws.ecs.capability.docker-remote-api.1.18") == 1);
  CHECK(attributes.count("ecs.instance-type") == 0);  // unknown here
}

AgentConfig WithGpus() {
  AgentConfig config;
  config.gpu_devices = {{"GPU-b", {"/dev/nvidia1"}}, {"GPU-a", {"/dev/nvidia0"}}};
  config.gpu_common_devices = {"/dev/nvidiactl"};
  return config;
}

TEST_CASE("GPUs are a resource of the hosts that have any, with the driver's version", "[host]") {
  resource::HostFacts facts = Facts();
  v1::Hello hello = HelloOf(WithGpus(), facts, Identity(), "");
  REQUIRE(hello.resources_size() == 5);
  CHECK(hello.resources(4).name() == "GPU");
  CHECK(hello.resources(4).type() == "STRINGSET");
  REQUIRE(hello.resources(4).string_set_value_size() == 2);
  CHECK(hello.resources(4).string_set_value(0) == "GPU-a");
  CHECK(Attributes(hello).count("ecs.capability.gpu-driver-version") == 0);
  facts.nvidia_driver_version = "535.104.05";
  hello = HelloOf(WithGpus(), facts, Identity(), "");
  CHECK(Attributes(hello).at("ecs.capability.gpu-driver-version") == "535.104.05");
  CHECK(Attributes(hello).count("ecs.capability.nvidia-driver-version.535.104.05") == 1);
  CHECK(CapacityOf(WithGpus(), facts).gpus == std::set<std::string>{"GPU-a", "GPU-b"});
}

TEST_CASE("a GPU without its device nodes is not offered", "[host]") {
  using Missing = std::vector<std::string>;
  AgentConfig config = WithGpus();
  std::map<std::string, spec::DeviceNode> devices = {
      {"/dev/nvidia0", {}}, {"/dev/nvidia1", {}}, {"/dev/nvidiactl", {}}};
  CHECK(DropAbsentGpus(devices, &config).empty());
  CHECK(config == WithGpus());
  devices.erase("/dev/nvidia1");
  CHECK(DropAbsentGpus(devices, &config) == Missing{"/dev/nvidia1"});
  CHECK(CapacityOf(config, Facts()).gpus == std::set<std::string>{"GPU-a"});
  devices.erase("/dev/nvidiactl");
  CHECK(DropAbsentGpus(devices, &config) == Missing{"/dev/nvidiactl"});
  CHECK(CapacityOf(config, Facts()).gpus.empty());
  config.gpu_devices.clear();  // nobody uses the common ones
  CHECK(DropAbsentGpus({}, &config).empty());
}

TEST_CASE("each agent process has its own id", "[host]") {
  const AgentConfig config;
  CHECK(HelloOf(config, Facts(), Identity(), "").agent_instance_id() !=
        HelloOf(config, Facts(), Identity(), "").agent_instance_id());
}

store::StoredState Stored() {
  store::StoredState state;
  state.registration.set_cluster("blue");
  state.registration.set_ec2_instance_id("i-1");
  state.registration.set_container_instance_arn("arn");
  state.tasks.emplace_back().mutable_assignment()->set_task_arn("arn:aws:ecs:r:a:task/blue/0123");
  return state;
}

TEST_CASE("a store of this host in this cluster is used, and so is an empty one", "[host]") {
  store::StoredState state = Stored();
  CHECK(ReconcileIdentity("blue", "i-1", &state)->empty());
  CHECK(state.tasks.size() == 1);
  CHECK(state.registration.container_instance_arn() == "arn");
  store::StoredState empty;
  CHECK(ReconcileIdentity("blue", "i-1", &empty)->empty());
}

TEST_CASE("the store of a cloned disk keeps only its former owner", "[host]") {
  store::StoredState state = Stored();
  CHECK(*ReconcileIdentity("blue", "i-2", &state) == std::vector<std::string>{"0123"});
  CHECK(state.tasks.empty());
  CHECK(state.registration.container_instance_arn().empty());
  REQUIRE(state.registration.former_ec2_instance_ids_size() == 1);
  CHECK(state.registration.former_ec2_instance_ids(0) == "i-1");
}

TEST_CASE("a cloned disk without registration is recognised by its task records", "[host]") {
  store::StoredState state = Stored();
  state.registration.Clear();
  state.tasks[0].set_ec2_instance_id("i-1");
  store::StoredState same = state;
  CHECK(ReconcileIdentity("blue", "i-1", &same)->empty());
  CHECK(*ReconcileIdentity("blue", "i-2", &state) == std::vector<std::string>{"0123"});
  REQUIRE(state.registration.former_ec2_instance_ids_size() == 1);
  CHECK(state.registration.former_ec2_instance_ids(0) == "i-1");
}

TEST_CASE("a changed configuration line does not move a host to another cluster", "[host]") {
  store::StoredState state = Stored();
  const auto reconciled = ReconcileIdentity("green", "i-1", &state);
  REQUIRE(absl::IsFailedPrecondition(reconciled.status()));
  CHECK_THAT(std::string(reconciled.status().message()),
             Catch::Contains("green") && Catch::Contains("blue"));
  CHECK(state.tasks.size() == 1);
}

}  // namespace
}  // namespace davit
