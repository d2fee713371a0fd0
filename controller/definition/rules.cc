#include "controller/definition/rules.h"

#include <google/protobuf/util/json_util.h>

#include <cmath>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "base/definition/container_checks.h"
#include "base/definition/reservation.h"
#include "controller/definition/container_rules.h"
#include "controller/ecs/problems.h"
#include "controller/ecs/ranges.h"
#include "controller/ecs/rules.h"

namespace davit::controller::definition {
namespace {

using ecs::CheckTags;
using ecs::IsName;
using ecs::kMinMemoryMib;
using ecs::ParseCpu;
using ecs::ParseMemory;
using ecs::Problems;

using Request = v1::RegisterTaskDefinitionRequest;

constexpr int kMaxContainers = 10;
// ECS's quota on the size of a task definition, of its JSON form.
constexpr size_t kMaxBytes = 64U << 10;
constexpr int64_t kMinTaskCpu = 128;
constexpr int64_t kMaxTaskCpu = 196608;

size_t JsonBytes(const Request& request) {
  std::string json;
  // What is not UTF-8 has no JSON form, and is refused elsewhere.
  return google::protobuf::util::MessageToJsonString(request, &json).ok() ? json.size() : 0;
}

bool Requires(const Request& request, absl::string_view compatibility) {
  return std::find(request.requires_compatibilities().begin(),
                   request.requires_compatibilities().end(),
                   compatibility) != request.requires_compatibilities().end();
}

void CheckEnums(const Request& request, Problems* problems) {
  if (request.has_network_mode()) {
    problems->CheckOneOf("networkMode", request.network_mode(),
                         {"bridge", "host", "none", "awsvpc"});
  }
  if (request.has_pid_mode()) problems->CheckOneOf("pidMode", request.pid_mode(), {"host", "task"});
  if (request.has_ipc_mode())
    problems->CheckOneOf("ipcMode", request.ipc_mode(), {"host", "task", "none"});
  for (const std::string& compatibility : request.requires_compatibilities()) {
    problems->CheckOneOf("requiresCompatibilities", compatibility,
                         {"EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"});
  }
  if (request.runtime_platform().has_cpu_architecture()) {
    problems->CheckOneOf("runtimePlatform.cpuArchitecture",
                         request.runtime_platform().cpu_architecture(), {"X86_64", "ARM64"});
  }
  for (int i = 0; i < request.placement_constraints_size(); ++i) {
    const std::string& type = request.placement_constraints(i).type();
    if (type == "memberOf") continue;
    problems->Add(absl::StrCat("placementConstraints[", i, "].type"), "constraint.type '", type,
                  "' is not supported in a task definition");
  }
}

void CheckTaskSize(const Request& request, Problems* problems) {
  const auto cpu = ParseCpu(request.cpu());
  const auto memory = ParseMemory(request.memory());
  if (request.has_cpu() && (!cpu || *cpu < kMinTaskCpu || *cpu > kMaxTaskCpu)) {
    problems->Add("cpu", "must be CPU units in ", kMinTaskCpu, "..", kMaxTaskCpu,
                  ", or vCPUs (\"1 vCPU\"); is '", request.cpu(), "'.");
  }
  if (request.has_memory() && (!memory || *memory < kMinMemoryMib)) {
    problems->Add("memory", "must be MiB of at least ", kMinMemoryMib, ", or GB (\"1 GB\"); is '",
                  request.memory(), "'.");
  }
  v1::TaskDefinition containers_only;
  *containers_only.mutable_container_definitions() = request.container_definitions();
  const Reservation sum = ReservationOf(containers_only, {});
  if (cpu && sum.cpu_units > *cpu) {
    problems->Add("cpu", "the containers' cpu together (", sum.cpu_units,
                  ") is greater than the task's (", *cpu, ").");
  }
  if (memory && sum.memory_mib > *memory) {
    problems->Add("memory", "the containers' memory together (", sum.memory_mib,
                  " MiB) is greater than the task's (", *memory, ").");
  }
}

void CheckVolumes(const Request& request, Problems* problems) {
  std::set<std::string> names;
  for (int i = 0; i < request.volumes_size(); ++i) {
    const v1::Volume& volume = request.volumes(i);
    const std::string at = absl::StrCat("volumes[", i, "]");
    if (!IsName(volume.name())) {
      problems->Add(at + ".name", "must be 1..255 letters, digits, hyphens and underscores, is '",
                    volume.name(), "'.");
    } else if (!names.insert(volume.name()).second) {
      problems->Add(at + ".name", "volume '", volume.name(), "' is defined twice.");
    }
    if (volume.has_efs_volume_configuration())
      problems->Add(at + ".efsVolumeConfiguration", "is not supported.");
    if (volume.has_fsx_windows_file_server_volume_configuration()) {
      problems->Add(at + ".fsxWindowsFileServerVolumeConfiguration", "is not supported.");
    }
    if (volume.has_host() && volume.has_docker_volume_configuration()) {
      problems->Add(at, "host and dockerVolumeConfiguration exclude each other.");
    }
    const v1::DockerVolumeConfiguration& docker = volume.docker_volume_configuration();
    if (docker.has_scope()) {
      problems->CheckOneOf(at + ".dockerVolumeConfiguration.scope", docker.scope(),
                           {"task", "shared"});
    }
    if (docker.autoprovision() && docker.scope() != "shared") {
      problems->Add(at + ".dockerVolumeConfiguration.autoprovision",
                    "is possible with scope shared only.");
    }
  }
}

// Fargate's table of sizes: for each cpu the smallest and largest memory and the step between, in
// MiB.
bool IsFargateSize(int64_t cpu, int64_t memory) {
  struct Range {
    int64_t min, max, step;
  };
  static const std::map<int64_t, Range> kSizes = {
      {512, {1024, 4096, 1024}},   {1024, {2048, 8192, 1024}},   {2048, {4096, 16384, 1024}},
      {4096, {8192, 30720, 1024}}, {8192, {16384, 61440, 4096}}, {16384, {32768, 122880, 8192}},
  };
  if (cpu == 256) return memory == 512 || memory == 1024 || memory == 2048;
  const auto found = kSizes.find(cpu);
  return found != kSizes.end() && memory >= found->second.min && memory <= found->second.max &&
         (memory - found->second.min) % found->second.step == 0;
}

void CheckFargate(const Request& request, Problems* problems) {
  if (!Requires(request, "FARGATE")) return;
  if (request.network_mode() != "awsvpc")
    problems->Add("networkMode", "Fargate only supports network mode 'awsvpc'.");
  if (!request.has_cpu())
    problems->Add("cpu", "Fargate requires that 'cpu' be defined at the task level.");
  if (!request.has_memory())
    problems->Add("memory", "Fargate requires that 'memory' be defined at the task level.");
  const auto cpu = ParseCpu(request.cpu());
  const auto memory = ParseMemory(request.memory());
  if (cpu && memory && !IsFargateSize(*cpu, *memory)) {
    problems->Add("cpu", "No Fargate configuration exists for given values: ", *cpu, " CPU, ",
                  *memory, " memory.");
  }
  if (request.pid_mode() == "host") problems->Add("pidMode", "host is not possible with Fargate.");
  for (int i = 0; i < request.container_definitions_size(); ++i) {
    const v1::ContainerDefinition& container = request.container_definitions(i);
    const std::string path = absl::StrCat("containerDefinitions[", i, "]");
    if (container.privileged())
      problems->Add(path + ".privileged", "is not possible with Fargate.");
    if (!container.linux_parameters().devices().empty()) {
      problems->Add(path + ".linuxParameters.devices", "are not possible with Fargate.");
    }
    if (!container.resource_requirements().empty())
      problems->Add(path + ".resourceRequirements", "are not possible with Fargate.");
  }
}

void FillContainer(absl::string_view network_mode, v1::ContainerDefinition* container) {
  if (!container->has_cpu()) container->set_cpu(0);
  if (!container->has_essential()) container->set_essential(true);
  for (v1::PortMapping& mapping : *container->mutable_port_mappings()) {
    if (!mapping.has_protocol()) mapping.set_protocol("tcp");
    if (mapping.has_host_port() || mapping.has_container_port_range()) continue;
    const bool is_same_port = network_mode == "host" || network_mode == "awsvpc";
    mapping.set_host_port(is_same_port ? mapping.container_port() : 0);
  }
  if (!container->has_health_check()) return;
  v1::HealthCheck* check = container->mutable_health_check();
  if (!check->has_interval()) check->set_interval(30);
  if (!check->has_timeout()) check->set_timeout(5);
  if (!check->has_retries()) check->set_retries(3);
}

// What an instance must state to run this, under ECS's names where it has them.
std::set<std::string> RequiredAttributes(const v1::TaskDefinition& definition) {
  std::set<std::string> names;
  if (definition.has_cpu() || definition.has_memory())
    names.insert("ecs.capability.task-cpu-mem-limit");
  if (definition.network_mode() == "awsvpc") names.insert("ecs.capability.task-eni");
  if (definition.has_pid_mode() || definition.has_ipc_mode()) {
    names.insert("ecs.capability.pid-ipc-namespace-sharing");
  }
  if (definition.has_task_role_arn()) names.insert("com.amazonaws.ecs.capability.task-iam-role");
  for (const v1::ContainerDefinition& container : definition.container_definitions()) {
    if (container.has_log_configuration()) {
      names.insert("com.amazonaws.ecs.capability.logging-driver." +
                   container.log_configuration().log_driver());
    }
    if (container.has_health_check()) names.insert("ecs.capability.container-health-check");
    // An agent that does not know the label would ignore it.
    if (HasReadinessCheck(container)) names.insert("davit.capability.readiness-check");
    if (!container.depends_on().empty()) names.insert("ecs.capability.container-ordering");
    if (container.restart_policy().enabled())
      names.insert("ecs.capability.container-restart-policy");
    if (!container.environment_files().empty()) names.insert("ecs.capability.env-files.s3");
    if (container.privileged()) names.insert("com.amazonaws.ecs.capability.privileged-container");
  }
  return names;
}

// ECS adds FARGATE to what runs there too, whether it was asked for or not.
void SetCompatibilities(const Request& request, v1::TaskDefinition* definition) {
  if (request.network_mode() != "awsvpc" || !Requires(request, "FARGATE"))
    definition->add_compatibilities("EXTERNAL");
  definition->add_compatibilities("EC2");
  if (Requires(request, "FARGATE")) definition->add_compatibilities("FARGATE");
}

}  // namespace

std::vector<std::string> FindProblems(const Request& request) {
  std::vector<std::string> list;
  Problems problems(&list);
  if (request.family().empty()) {
    problems.Add("family", "Family should not be null or empty.");
  } else if (!IsName(request.family())) {
    problems.Add("family", "must be at most 255 letters, digits, hyphens and underscores, is '",
                 request.family(), "'.");
  }
  if (request.container_definitions().empty()) {
    problems.Add("containerDefinitions", "Container list cannot be empty.");
  }
  if (request.container_definitions_size() > kMaxContainers) {
    problems.Add("containerDefinitions", "at most ", kMaxContainers, ", got ",
                 request.container_definitions_size(), ".");
  }
  for (std::string& problem : ecs::FindRangeProblems(request)) list.push_back(std::move(problem));
  if (const size_t bytes = JsonBytes(request); bytes > kMaxBytes) {
    list.push_back(absl::StrCat("a task definition has at most ", kMaxBytes,
                                " bytes (64 KiB) of JSON; this one has ", bytes, "."));
  }
  CheckEnums(request, &problems);
  CheckTaskSize(request, &problems);
  CheckVolumes(request, &problems);
  CheckFargate(request, &problems);
  for (int i = 0; i < request.container_definitions_size(); ++i) {
    CheckContainer(request, request.container_definitions(i),
                   absl::StrCat("containerDefinitions[", i, "]"), &list);
  }
  CheckContainersTogether(request, &list);
  CheckTags(request.tags(), &list);
  return list;
}

v1::TaskDefinition Normalize(const Request& request) {
  v1::TaskDefinition definition;
  definition.set_family(request.family());
  *definition.mutable_container_definitions() = request.container_definitions();
  *definition.mutable_volumes() = request.volumes();
  *definition.mutable_placement_constraints() = request.placement_constraints();
  *definition.mutable_requires_compatibilities() = request.requires_compatibilities();
  *definition.mutable_inference_accelerators() = request.inference_accelerators();
  if (request.has_task_role_arn()) definition.set_task_role_arn(request.task_role_arn());
  if (request.has_execution_role_arn())
    definition.set_execution_role_arn(request.execution_role_arn());
  definition.set_network_mode(request.has_network_mode() ? request.network_mode() : "bridge");
  if (const auto units = ParseCpu(request.cpu())) definition.set_cpu(absl::StrCat(*units));
  if (const auto mib = ParseMemory(request.memory())) definition.set_memory(absl::StrCat(*mib));
  if (request.has_pid_mode()) definition.set_pid_mode(request.pid_mode());
  if (request.has_ipc_mode()) definition.set_ipc_mode(request.ipc_mode());
  if (request.has_proxy_configuration())
    *definition.mutable_proxy_configuration() = request.proxy_configuration();
  if (request.has_ephemeral_storage())
    *definition.mutable_ephemeral_storage() = request.ephemeral_storage();
  if (request.has_runtime_platform())
    *definition.mutable_runtime_platform() = request.runtime_platform();
  if (request.has_enable_fault_injection()) {
    definition.set_enable_fault_injection(request.enable_fault_injection());
  }
  for (v1::ContainerDefinition& container : *definition.mutable_container_definitions()) {
    FillContainer(definition.network_mode(), &container);
  }
  for (const std::string& name : RequiredAttributes(definition))
    definition.add_requires_attributes()->set_name(name);
  SetCompatibilities(request, &definition);
  return definition;
}

}  // namespace davit::controller::definition
