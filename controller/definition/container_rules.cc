#include "controller/definition/container_rules.h"

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/definition/container_checks.h"
#include "controller/definition/rules.h"
#include "controller/ecs/problems.h"
#include "controller/ecs/rules.h"

namespace davit::controller::definition {
namespace {

using ecs::CheckResourceRequirements;
using ecs::IsName;
using ecs::ParseMemory;
using ecs::Problems;

using Request = v1::RegisterTaskDefinitionRequest;
using Container = v1::ContainerDefinition;

std::string At(const std::string& path, absl::string_view member, int index) {
  return absl::StrCat(path, ".", member, "[", index, "]");
}

const Container* FindContainer(const Request& request, absl::string_view name) {
  for (const Container& container : request.container_definitions()) {
    if (container.name() == name) return &container;
  }
  return nullptr;
}

bool IsEssential(const Container& container) {
  return !container.has_essential() || container.essential();
}

void CheckIdentity(const Container& container, const std::string& path, Problems* problems) {
  if (container.name().empty()) {
    problems->Add(path + ".name", "Container.name should not be null or empty.");
  } else if (!IsName(container.name())) {
    problems->Add(path + ".name",
                  "must be at most 255 letters, digits, hyphens and underscores, is '",
                  container.name(), "'.");
  }
  if (container.image().empty())
    problems->Add(path + ".image", "Container.image should not be null or empty.");
}

void CheckSizes(const Request& request, const Container& container, const std::string& path,
                Problems* problems) {
  const bool has_memory = container.has_memory() || container.has_memory_reservation();
  if (!request.has_memory() && !has_memory) {
    problems->Add(path, "Invalid setting for container '", container.name(),
                  "'. At least one of 'memory' or 'memoryReservation' must be specified.");
  }
  if (container.has_memory() && container.has_memory_reservation() &&
      container.memory() <= container.memory_reservation()) {
    problems->Add(path + ".memory", "must be greater than memoryReservation (",
                  container.memory_reservation(), "), is ", container.memory(), ".");
  }
  const auto task_memory = ParseMemory(request.memory());
  if (task_memory && container.memory() > *task_memory) {
    problems->Add(path + ".memory",
                  "The 'memory' setting for container is greater than for the task.");
  }
}

void CheckPort(absl::string_view network_mode, const v1::PortMapping& mapping,
               const std::string& path, Problems* problems) {
  if (!mapping.has_container_port_range()) {
    if (!mapping.has_container_port()) problems->Add(path + ".containerPort", "must be given.");
  } else if (mapping.has_container_port() || mapping.has_host_port()) {
    problems->Add(path + ".containerPortRange", "excludes containerPort and hostPort.");
  }
  if (mapping.has_protocol())
    problems->CheckOneOf(path + ".protocol", mapping.protocol(), {"tcp", "udp"});
  if (mapping.has_app_protocol()) {
    problems->CheckOneOf(path + ".appProtocol", mapping.app_protocol(), {"http", "http2", "grpc"});
  }
  const bool is_same_port_needed = network_mode == "host" || network_mode == "awsvpc";
  if (is_same_port_needed && mapping.host_port() != 0 &&
      mapping.host_port() != mapping.container_port()) {
    problems->Add(path + ".hostPort", "must be empty or equal to containerPort in network mode ",
                  network_mode, ".");
  }
}

void CheckNetwork(const Request& request, const Container& container, const std::string& path,
                  Problems* problems) {
  for (int i = 0; i < container.port_mappings_size(); ++i) {
    CheckPort(request.network_mode(), container.port_mappings(i), At(path, "portMappings", i),
              problems);
  }
  if (request.network_mode() == "none" && !container.port_mappings().empty()) {
    problems->Add(path + ".portMappings", "must be empty in network mode none.");
  }
  const bool is_bridge = !request.has_network_mode() || request.network_mode() == "bridge";
  if (!container.links().empty() && !is_bridge) {
    problems->Add(path + ".links", "are possible in network mode bridge only.");
  }
  if (container.has_hostname() &&
      (request.network_mode() == "awsvpc" || request.network_mode() == "host")) {
    problems->Add(path + ".hostname", "is not possible in network mode ", request.network_mode(),
                  ".");
  }
  for (int i = 0; i < container.extra_hosts_size(); ++i) {
    problems->CheckGiven(At(path, "extraHosts", i) + ".hostname",
                         container.extra_hosts(i).hostname());
    problems->CheckGiven(At(path, "extraHosts", i) + ".ipAddress",
                         container.extra_hosts(i).ip_address());
  }
}

void CheckEnvironment(const Container& container, const std::string& path, Problems* problems) {
  std::set<std::string> names;
  for (int i = 0; i < container.environment_size(); ++i) {
    problems->CheckGiven(At(path, "environment", i) + ".name", container.environment(i).name());
    names.insert(container.environment(i).name());
  }
  for (int i = 0; i < container.secrets_size(); ++i) {
    problems->CheckGiven(At(path, "secrets", i) + ".name", container.secrets(i).name());
    problems->CheckGiven(At(path, "secrets", i) + ".valueFrom", container.secrets(i).value_from());
    if (!container.secrets(i).name().empty() && !names.insert(container.secrets(i).name()).second) {
      problems->Add(
          At(path, "secrets", i) + ".name",
          "must be unique and not shared with any new or existing environment variables, is '",
          container.secrets(i).name(), "'.");
    }
  }
  if (container.environment_files_size() > 10)
    problems->Add(path + ".environmentFiles", "at most 10.");
  for (int i = 0; i < container.environment_files_size(); ++i) {
    problems->CheckOneOf(At(path, "environmentFiles", i) + ".type",
                         container.environment_files(i).type(), {"s3"});
  }
}

void CheckMounts(const Request& request, const Container& container, const std::string& path,
                 Problems* problems) {
  std::set<std::string> volumes;
  for (const v1::Volume& volume : request.volumes()) volumes.insert(volume.name());
  for (int i = 0; i < container.mount_points_size(); ++i) {
    const v1::MountPoint& mount = container.mount_points(i);
    const std::string at = At(path, "mountPoints", i);
    problems->CheckGiven(at + ".containerPath", mount.container_path());
    if (volumes.count(mount.source_volume()) == 0) {
      problems->Add(at + ".sourceVolume", "Unknown volume '", mount.source_volume(), "'.");
    }
  }
}

void CheckHealth(const Container& container, const std::string& path,
                 std::vector<std::string>* list) {
  if (container.has_health_check()) {
    for (const std::string& problem : FindCheckProblems(container.health_check()))
      list->push_back(absl::StrCat(path, ".healthCheck.", problem));
  }
  v1::HealthCheck readiness_check;
  for (const std::string& problem : ReadReadinessCheck(container, &readiness_check))
    list->push_back(absl::StrCat(path, ".", problem));
}

void CheckLimits(const Container& container, const std::string& path, Problems* problems) {
  for (int i = 0; i < container.ulimits_size(); ++i) {
    const v1::Ulimit& limit = container.ulimits(i);
    const std::string at = At(path, "ulimits", i);
    problems->CheckOneOf(at + ".name", limit.name(),
                         {"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice",
                          "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"});
    // -1 is "unlimited".
    if (limit.hard_limit() != -1 &&
        (limit.soft_limit() > limit.hard_limit() || limit.soft_limit() == -1)) {
      problems->Add(at + ".softLimit", "must not be greater than hardLimit (", limit.hard_limit(),
                    "), is ", limit.soft_limit(), ".");
    }
  }
  for (int i = 0; i < container.system_controls_size(); ++i) {
    problems->CheckGiven(At(path, "systemControls", i) + ".namespace",
                         container.system_controls(i).namespace_());
  }
}

void CheckLinux(const Container& container, const std::string& path, Problems* problems) {
  const v1::LinuxParameters& linux_parameters = container.linux_parameters();
  const std::string at = path + ".linuxParameters";
  for (int i = 0; i < linux_parameters.tmpfs_size(); ++i) {
    problems->CheckGiven(At(at, "tmpfs", i) + ".containerPath",
                         linux_parameters.tmpfs(i).container_path());
    if (!linux_parameters.tmpfs(i).has_size())
      problems->Add(At(at, "tmpfs", i) + ".size", "must be given.");
  }
  for (int i = 0; i < linux_parameters.devices_size(); ++i) {
    problems->CheckGiven(At(at, "devices", i) + ".hostPath",
                         linux_parameters.devices(i).host_path());
    for (const std::string& permission : linux_parameters.devices(i).permissions()) {
      problems->CheckOneOf(At(at, "devices", i) + ".permissions", permission,
                           {"read", "write", "mknod"});
    }
  }
}

void CheckLogAndRestart(const Container& container, const std::string& path, Problems* problems) {
  if (container.has_log_configuration()) {
    problems->CheckOneOf(
        path + ".logConfiguration.logDriver", container.log_configuration().log_driver(),
        {"json-file", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "awsfirelens"});
  }
  if (container.has_firelens_configuration()) {
    problems->CheckOneOf(path + ".firelensConfiguration.type",
                         container.firelens_configuration().type(), {"fluentd", "fluentbit"});
  }
  if (!container.has_restart_policy()) return;
  const v1::ContainerRestartPolicy& policy = container.restart_policy();
  const std::string at = path + ".restartPolicy";
  if (!policy.has_enabled()) problems->Add(at + ".enabled", "must be given.");
  if (policy.ignored_exit_codes_size() > 50) problems->Add(at + ".ignoredExitCodes", "at most 50.");
}

void CheckDependency(const Request& request, const Container& container,
                     const v1::ContainerDependency& dependency, const std::string& at,
                     Problems* problems) {
  problems->CheckOneOf(at + ".condition", dependency.condition(),
                       {"START", "COMPLETE", "SUCCESS", "HEALTHY"});
  const Container* target = FindContainer(request, dependency.container_name());
  if (target == nullptr || target->name() == container.name()) {
    problems->Add(at + ".containerName", "must be another container of the task, is '",
                  dependency.container_name(), "'.");
    return;
  }
  if (dependency.condition() == "HEALTHY" && !HasHealthCheck(*target) &&
      !HasReadinessCheck(*target)) {
    problems->Add(at + ".condition", "is HEALTHY, but container '", target->name(),
                  "' has no healthCheck.");
  }
  const bool waits_for_exit =
      dependency.condition() == "COMPLETE" || dependency.condition() == "SUCCESS";
  if (waits_for_exit && IsEssential(*target)) {
    problems->Add(at + ".condition", "is ", dependency.condition(), ", but container '",
                  target->name(), "' is essential: its exit ends the task.");
  }
}

void CheckReferences(const Request& request, const Container& container, const std::string& path,
                     Problems* problems) {
  for (int i = 0; i < container.depends_on_size(); ++i) {
    CheckDependency(request, container, container.depends_on(i), At(path, "dependsOn", i),
                    problems);
  }
  for (int i = 0; i < container.volumes_from_size(); ++i) {
    const std::string& source = container.volumes_from(i).source_container();
    if (FindContainer(request, source) == nullptr || source == container.name()) {
      problems->Add(At(path, "volumesFrom", i) + ".sourceContainer",
                    "must be another container of the task, is '", source, "'.");
    }
  }
  for (int i = 0; i < container.links_size(); ++i) {
    const std::vector<std::string> parts = absl::StrSplit(container.links(i), ':');
    if (FindContainer(request, parts[0]) == nullptr || parts[0] == container.name()) {
      problems->Add(At(path, "links", i), "must be another container of the task, is '", parts[0],
                    "'.");
    }
  }
}

// Removes containers that wait for none that is left, until nothing changes: what is left waits in
// a circle.
std::set<std::string> FindCircle(const Request& request) {
  std::map<std::string, std::set<std::string>> waits_for;
  for (const Container& container : request.container_definitions()) {
    std::set<std::string>& targets = waits_for[container.name()];
    for (const v1::ContainerDependency& dependency : container.depends_on()) {
      if (FindContainer(request, dependency.container_name()) != nullptr)
        targets.insert(dependency.container_name());
    }
  }
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (auto entry = waits_for.begin(); entry != waits_for.end();) {
      if (!entry->second.empty()) {
        ++entry;
        continue;
      }
      const std::string free = entry->first;
      entry = waits_for.erase(entry);
      for (auto& [name, targets] : waits_for) targets.erase(free);
      has_changed = true;
    }
  }
  std::set<std::string> circle;
  for (const auto& [name, targets] : waits_for) circle.insert(name);
  return circle;
}

}  // namespace

void CheckContainer(const Request& request, const Container& container, const std::string& path,
                    std::vector<std::string>* list) {
  Problems problems(list);
  CheckIdentity(container, path, &problems);
  CheckSizes(request, container, path, &problems);
  CheckNetwork(request, container, path, &problems);
  CheckEnvironment(container, path, &problems);
  CheckMounts(request, container, path, &problems);
  CheckHealth(container, path, list);
  CheckLimits(container, path, &problems);
  CheckLinux(container, path, &problems);
  CheckLogAndRestart(container, path, &problems);
  CheckReferences(request, container, path, &problems);
  CheckResourceRequirements(container.resource_requirements(), path,
                            {"GPU", "InferenceAccelerator"}, list);
}

void CheckContainersTogether(const Request& request, std::vector<std::string>* list) {
  Problems problems(list);
  std::set<std::string> names;
  std::set<std::string> host_ports;
  bool has_essential = false;
  for (const Container& container : request.container_definitions()) {
    if (!container.name().empty() && !names.insert(container.name()).second) {
      problems.Add("containerDefinitions", "container name '", container.name(),
                   "' is used twice.");
    }
    has_essential = has_essential || IsEssential(container);
    for (const v1::PortMapping& mapping : container.port_mappings()) {
      if (mapping.host_port() == 0) continue;
      const std::string port = absl::StrCat(mapping.host_port(), "/",
                                            mapping.has_protocol() ? mapping.protocol() : "tcp");
      if (!host_ports.insert(port).second) {
        problems.Add("containerDefinitions", "host port ", port, " is used twice.");
      }
    }
  }
  if (!has_essential && !request.container_definitions().empty()) {
    problems.Add("containerDefinitions", "at least one container must be essential.");
  }
  const std::set<std::string> circle = FindCircle(request);
  if (!circle.empty()) {
    problems.Add("containerDefinitions", "dependsOn goes in a circle among ",
                 absl::StrJoin(circle, ", "), ".");
  }
}

}  // namespace davit::controller::definition
