#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/spec/docker_volume.h"
#include "agent/spec/oci_spec.h"
#include "agent/spec/security_options.h"

namespace davit::spec {
namespace {

// One row per member that the agent does not support. To support a member, implement it, delete its
// row, and change its line in docs/task-definition.md.
template <typename Message>
struct Row {
  const char* member;
  bool (*is_set)(const Message&);
};

using Task = v1::TaskDefinition;
using Container = v1::ContainerDefinition;

bool IsForFargateOnly(const Task& task) {
  bool fargate = false;
  bool instance = false;
  for (const std::string& name : task.requires_compatibilities()) {
    (name == "FARGATE" ? fargate : instance) = true;
  }
  return fargate && !instance;
}

bool IsForWindows(const Task& task) {
  const std::string& family = task.runtime_platform().operating_system_family();
  return !family.empty() && family != "LINUX";
}

template <typename Message>
bool AsksForMoreThanGpus(const Message& message) {
  const auto& requirements = message.resource_requirements();
  return std::any_of(requirements.begin(), requirements.end(),
                     [](const v1::ResourceRequirement& one) { return one.type() != "GPU"; });
}

constexpr Row<Task> kTaskRows[] = {
    {"networkMode",
     [](const Task& t) {
       const std::string& mode = t.network_mode();
       return !mode.empty() && mode != "bridge" && mode != "host" && mode != "none";
     }},
    {"requiresCompatibilities", IsForFargateOnly},
    {"runtimePlatform.operatingSystemFamily", IsForWindows},
    {"inferenceAccelerators", [](const Task& t) { return t.inference_accelerators_size() > 0; }},
    {"proxyConfiguration", [](const Task& t) { return t.has_proxy_configuration(); }},
    {"ephemeralStorage", [](const Task& t) { return t.has_ephemeral_storage(); }},
    {"enableFaultInjection", [](const Task& t) { return t.enable_fault_injection(); }},
};

constexpr Row<v1::Volume> kVolumeRows[] = {
    {"dockerVolumeConfiguration",
     [](const v1::Volume& v) { return !ParseDockerVolume(v.docker_volume_configuration()).ok(); }},
    {"efsVolumeConfiguration",
     [](const v1::Volume& v) { return v.has_efs_volume_configuration(); }},
    {"fsxWindowsFileServerVolumeConfiguration",
     [](const v1::Volume& v) { return v.has_fsx_windows_file_server_volume_configuration(); }},
    {"configuredAtLaunch", [](const v1::Volume& v) { return v.configured_at_launch(); }},
};

constexpr Row<Container> kContainerRows[] = {
    {"repositoryCredentials", [](const Container& c) { return c.has_repository_credentials(); }},
    {"links", [](const Container& c) { return c.links_size() > 0; }},
    {"versionConsistency",
     [](const Container& c) {
       const std::string& value = c.version_consistency();
       return !value.empty() && value != "enabled" && value != "disabled";
     }},
    {"dnsServers", [](const Container& c) { return c.dns_servers_size() > 0; }},
    {"dnsSearchDomains", [](const Container& c) { return c.dns_search_domains_size() > 0; }},
    {"extraHosts", [](const Container& c) { return c.extra_hosts_size() > 0; }},
    {"logConfiguration.logDriver",
     [](const Container& c) {
       return c.has_log_configuration() && c.log_configuration().log_driver() != "json-file";
     }},
    {"logConfiguration.options",
     [](const Container& c) { return !c.log_configuration().options().empty(); }},
    {"logConfiguration.secretOptions",
     [](const Container& c) { return c.log_configuration().secret_options_size() > 0; }},
    {"resourceRequirements", AsksForMoreThanGpus<Container>},
    {"firelensConfiguration", [](const Container& c) { return c.has_firelens_configuration(); }},
    {"credentialSpecs", [](const Container& c) { return c.credential_specs_size() > 0; }},
};

constexpr Row<v1::PortMapping> kPortMappingRows[] = {
    {"containerPortRange", [](const v1::PortMapping& p) { return p.has_container_port_range(); }},
};

constexpr Row<std::string> kSecurityOptionRows[] = {
    {"",  // the whole item
     [](const std::string& option) {
       SecurityOptions ignored;
       return !ApplySecurityOption(option, &ignored);
     }},
};

constexpr Row<v1::TaskOverride> kTaskOverrideRows[] = {
    {"ephemeralStorage", [](const v1::TaskOverride& o) { return o.has_ephemeral_storage(); }},
};

constexpr Row<v1::ContainerOverride> kContainerOverrideRows[] = {
    {"resourceRequirements", AsksForMoreThanGpus<v1::ContainerOverride>},
};

template <typename Message, size_t kRows>
void Examine(const Message& message, absl::string_view prefix, const Row<Message> (&rows)[kRows],
             std::vector<std::string>* paths) {
  for (const Row<Message>& row : rows) {
    if (row.is_set(message)) paths->push_back(absl::StrCat(prefix, row.member));
  }
}

void ExamineContainer(const Container& container, absl::string_view prefix,
                      std::vector<std::string>* paths) {
  Examine(container, absl::StrCat(prefix, "."), kContainerRows, paths);
  for (int i = 0; i < container.port_mappings_size(); ++i) {
    Examine(container.port_mappings(i), absl::StrCat(prefix, ".portMappings[", i, "]."),
            kPortMappingRows, paths);
  }
  for (int i = 0; i < container.docker_security_options_size(); ++i) {
    Examine(container.docker_security_options(i),
            absl::StrCat(prefix, ".dockerSecurityOptions[", i, "]"), kSecurityOptionRows, paths);
  }
}

}  // namespace

std::vector<std::string> UnsupportedMembers(const v1::TaskDefinition& task) {
  std::vector<std::string> paths;
  Examine(task, "", kTaskRows, &paths);
  for (int i = 0; i < task.volumes_size(); ++i) {
    Examine(task.volumes(i), absl::StrCat("volumes[", i, "]."), kVolumeRows, &paths);
  }
  for (int i = 0; i < task.container_definitions_size(); ++i) {
    ExamineContainer(task.container_definitions(i), absl::StrCat("containerDefinitions[", i, "]"),
                     &paths);
  }
  return paths;
}

std::vector<std::string> UnsupportedMembers(const v1::TaskOverride& overrides) {
  std::vector<std::string> paths;
  Examine(overrides, "", kTaskOverrideRows, &paths);
  for (int i = 0; i < overrides.container_overrides_size(); ++i) {
    Examine(overrides.container_overrides(i), absl::StrCat("containerOverrides[", i, "]."),
            kContainerOverrideRows, &paths);
  }
  return paths;
}

}  // namespace davit::spec
