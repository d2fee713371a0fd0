#include "agent/host.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/host_probe.h"
#include "base/file.h"
#include "base/ids.h"

namespace davit {
namespace {

constexpr int kUnitsPerCore = 1024;
constexpr int kProtocolVersion = 2;

void AddInteger(const std::string& name, int value, v1::Hello* hello) {
  v1::Resource* resource = hello->add_resources();
  resource->set_name(name);
  resource->set_type("INTEGER");
  resource->set_integer_value(value);
}

void AddPorts(const std::string& name, const std::set<int>& ports, v1::Hello* hello) {
  v1::Resource* resource = hello->add_resources();
  resource->set_name(name);
  resource->set_type("STRINGSET");
  for (const int port : ports) resource->add_string_set_value(std::to_string(port));
}

void AddAttribute(const std::string& name, const std::string& value, bool even_if_empty,
                  v1::Hello* hello) {
  if (value.empty() && !even_if_empty) return;
  v1::Attribute* attribute = hello->add_attributes();
  attribute->set_name(name);
  if (!value.empty()) attribute->set_value(value);
}

// The attributes are those of ECS's agent on a host with a supported driver.
void AddGpus(const std::set<std::string>& ids, const std::string& driver_version,
             v1::Hello* hello) {
  v1::Resource* resource = hello->add_resources();
  resource->set_name("GPU");
  resource->set_type("STRINGSET");
  for (const std::string& id : ids) resource->add_string_set_value(id);
  if (driver_version.empty()) return;
  AddAttribute("ecs.capability.gpu-driver-version", driver_version, false, hello);
  AddAttribute("ecs.capability.nvidia-driver-version." + driver_version, "", true, hello);
}

// The capabilities that placement matches with a task definition's requiresAttributes. Names:
// Amazon ECS developer guide, "Amazon ECS task definition use cases"/attributes.
const char* const kCapabilities[] = {"com.amazonaws.ecs.capability.docker-remote-api.1.17",
                                     "com.amazonaws.ecs.capability.docker-remote-api.1.18",
                                     "com.amazonaws.ecs.capability.docker-remote-api.1.19",
                                     "com.amazonaws.ecs.capability.docker-remote-api.1.21",
                                     "com.amazonaws.ecs.capability.docker-remote-api.1.22",
                                     "com.amazonaws.ecs.capability.docker-remote-api.1.24",
                                     "com.amazonaws.ecs.capability.docker-remote-api.1.25",
                                     "com.amazonaws.ecs.capability.docker-remote-api.1.29",
                                     "com.amazonaws.ecs.capability.privileged-container",
                                     "com.amazonaws.ecs.capability.logging-driver.json-file",
                                     "ecs.capability.task-cpu-mem-limit",
                                     "ecs.capability.increased-task-cpu-limit",
                                     "ecs.capability.pid-ipc-namespace-sharing",
                                     "ecs.capability.container-ordering",
                                     "ecs.capability.container-health-check",
                                     "ecs.capability.container-restart-policy",
                                     "ecs.capability.env-files.s3",
                                     "ecs.capability.secrets.asm.environment-variables",
                                     "ecs.capability.secrets.ssm.environment-variables",
                                     "davit.capability.readiness-check"};

// The EC2 instance that the state belongs to; empty: none. A damaged database may have lost the
// registration, so the tasks' records also have it.
std::string OwnerOf(const store::StoredState& state) {
  if (!state.registration.ec2_instance_id().empty()) return state.registration.ec2_instance_id();
  for (const v1::TaskRecord& task : state.tasks) {
    if (!task.ec2_instance_id().empty()) return task.ec2_instance_id();
  }
  return "";
}

}  // namespace

spec::HostFacts ToSpecFacts(const AgentConfig& config, const resource::HostFacts& facts,
                            std::string seccomp_profile) {
  spec::HostFacts out;
  out.cgroup_v2 = facts.has_cgroup_v2;
  out.architecture = facts.architecture;
  out.cpus = facts.cores;
  out.memory_bytes = facts.memory_bytes;
  out.seccomp_profile_json = std::move(seccomp_profile);
  out.can_raise_rlimits = facts.may_raise_rlimits;
  for (const auto& [name, limit] : facts.rlimits) out.rlimit_hard[name] = limit.hard;
  out.kernel_release = facts.kernel;
  out.devices = ScanDevices("/dev");
  out.capabilities = ContainerCapabilities(config.containerd_address);
  out.can_limit_swap =
      CanLimitSwap(resource::ParseCgroupMounts(ReadFile("/proc/self/mountinfo").value_or("")));
  if (FileExists(config.init_path)) out.init_path = config.init_path;
  out.gpus = config.gpu_devices;
  out.gpu_common_devices = config.gpu_common_devices;
  out.gpu_mounts = config.gpu_mounts;
  return out;
}

std::vector<std::string> DropAbsentGpus(const std::map<std::string, spec::DeviceNode>& devices,
                                        AgentConfig* config) {
  const auto is_absent = [&devices](const std::string& node) { return devices.count(node) == 0; };
  std::vector<std::string> missing;
  if (config->gpu_devices.empty()) return missing;
  std::copy_if(config->gpu_common_devices.begin(), config->gpu_common_devices.end(),
               std::back_inserter(missing), is_absent);
  if (!missing.empty()) config->gpu_devices.clear();
  for (auto gpu = config->gpu_devices.begin(); gpu != config->gpu_devices.end();) {
    const size_t before = missing.size();
    std::copy_if(gpu->second.begin(), gpu->second.end(), std::back_inserter(missing), is_absent);
    gpu = missing.size() > before ? config->gpu_devices.erase(gpu) : std::next(gpu);
  }
  return missing;
}

task::ResourceNeeds CapacityOf(const AgentConfig& config, const resource::HostFacts& facts) {
  task::ResourceNeeds capacity;
  capacity.cpu = facts.cores * kUnitsPerCore;
  capacity.memory =
      std::max(0, static_cast<int>(facts.memory_bytes >> 20) - config.reserved_memory_mib);
  capacity.tcp_ports.insert(config.reserved_ports.begin(), config.reserved_ports.end());
  capacity.udp_ports.insert(config.reserved_udp_ports.begin(), config.reserved_udp_ports.end());
  for (const auto& [id, nodes] : config.gpu_devices) capacity.gpus.insert(id);
  return capacity;
}

absl::StatusOr<std::vector<std::string>> ReconcileIdentity(const std::string& cluster,
                                                           const std::string& ec2_instance_id,
                                                           store::StoredState* state) {
  const v1::RegistrationRecord old = state->registration;
  std::vector<std::string> foreign_tasks;
  const std::string owner = OwnerOf(*state);
  if (!owner.empty() && owner != ec2_instance_id) {
    for (const v1::TaskRecord& task : state->tasks)
      foreign_tasks.push_back(ShortId(task.assignment().task_arn()));
    *state = store::StoredState();
    *state->registration.mutable_former_ec2_instance_ids() = old.former_ec2_instance_ids();
    state->registration.add_former_ec2_instance_ids(owner);
  } else if (!old.cluster().empty() && old.cluster() != cluster) {
    return absl::FailedPreconditionError(absl::StrCat(
        "agent.cluster is ", cluster, ", but this host is registered in ", old.cluster(),
        ": set the old name again, or stop its tasks and remove agent.db from agent.state_dir to "
        "move the host"));
  }
  return foreign_tasks;
}

v1::Hello HelloOf(const AgentConfig& config, const resource::HostFacts& facts,
                  const resource::InstanceIdentity& identity, const std::string& runtime_version) {
  v1::Hello hello;
  hello.set_cluster(config.cluster);
  hello.set_ec2_instance_id(identity.ec2_instance_id);
  hello.set_agent_instance_id(RandomUuid());
  hello.set_boot_id(facts.boot_id);
  hello.set_protocol_version(kProtocolVersion);
  hello.mutable_version_info()->set_agent_version(DAVIT_VERSION);
  hello.mutable_version_info()->set_docker_version(runtime_version);
  const task::ResourceNeeds capacity = CapacityOf(config, facts);
  AddInteger("CPU", capacity.cpu, &hello);
  AddInteger("MEMORY", capacity.memory, &hello);
  AddPorts("PORTS", capacity.tcp_ports, &hello);
  AddPorts("PORTS_UDP", capacity.udp_ports, &hello);
  if (!capacity.gpus.empty()) AddGpus(capacity.gpus, facts.nvidia_driver_version, &hello);
  AddAttribute("ecs.os-type", "linux", false, &hello);
  AddAttribute("ecs.os-family", "LINUX", false, &hello);
  AddAttribute("ecs.cpu-architecture",
               facts.architecture == "amd64" ? "x86_64" : facts.architecture, false, &hello);
  AddAttribute("ecs.availability-zone", identity.availability_zone, false, &hello);
  AddAttribute("ecs.instance-type", identity.instance_type, false, &hello);
  AddAttribute("ecs.ami-id", identity.ami_id, false, &hello);
  AddAttribute("ecs.vpc-id", identity.vpc_id, false, &hello);
  AddAttribute("ecs.subnet-id", identity.subnet_id, false, &hello);
  for (const char* capability : kCapabilities) AddAttribute(capability, "", true, &hello);
  for (const auto& [name, value] : config.attributes) AddAttribute(name, value, true, &hello);
  return hello;
}

}  // namespace davit
