#include "agent/spec/oci_spec.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/spec/capabilities.h"
#include "agent/spec/default_mounts.h"
#include "agent/spec/devices.h"
#include "agent/spec/gpus.h"
#include "agent/spec/mounts.h"
#include "agent/spec/namespaces.h"
#include "agent/spec/process.h"
#include "agent/spec/resources.h"
#include "agent/spec/seccomp.h"
#include "agent/spec/security_options.h"
#include "agent/spec/spec_input.h"
#include "base/definition/overrides.h"
#include "base/status.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;

constexpr char kOciVersion[] = "1.0.2";

absl::StatusOr<Json> BuildLinux(const SpecInput& input, const SecurityOptions& security,
                                const std::vector<std::string>& capabilities) {
  ASSIGN_OR_RETURN(Json namespaces, BuildNamespaces(input));
  ASSIGN_OR_RETURN(Json sysctls, BuildSysctls(input));
  ASSIGN_OR_RETURN(Json resources, BuildResources(input));
  Json nodes = Json::array();
  Json rules = Json::array();
  RETURN_IF_ERROR(AddDevices(input, {&nodes, &rules}));
  resources["devices"] = std::move(rules);
  Json linux_part{{"cgroupsPath", input.place.cgroup_path},
                  {"namespaces", std::move(namespaces)},
                  {"resources", std::move(resources)},
                  {"maskedPaths", MaskedPaths(input)},
                  {"readonlyPaths", ReadonlyPaths(input)}};
  if (!sysctls.empty()) linux_part["sysctl"] = std::move(sysctls);
  if (!nodes.empty()) linux_part["devices"] = std::move(nodes);
  if (!security.seccomp_unconfined && !input.host.seccomp_profile_json.empty()) {
    ASSIGN_OR_RETURN(
        linux_part["seccomp"],
        BuildSeccomp(input.host.seccomp_profile_json,
                     {input.host.architecture, input.host.kernel_release, capabilities}));
  }
  return linux_part;
}

// Annotations steer those who read them: containerd's shim groups containers by
// io.containerd.runc.v2.group and io.kubernetes.cri.sandbox-id, crun reads run.oci.*, runc
// org.systemd.property.*. The user's labels are put where nobody looks for orders, which also keeps
// them apart from the agent's own.
constexpr char kDockerLabelPrefix[] = "davit.docker-label.";

Json BuildAnnotations(const SpecInput& input) {
  Json annotations = Json::object();
  for (const auto& [name, value] : input.container.docker_labels())
    annotations[kDockerLabelPrefix + name] = value;
  annotations["davit.task-arn"] = input.place.task_arn;
  annotations["davit.container-name"] = input.place.container_name;
  return annotations;
}

absl::StatusOr<Json> BuildSpec(const SpecInput& input) {
  if (input.place.cgroup_path.empty() || input.place.cgroup_path.front() != '/') {
    return absl::InternalError(
        absl::StrCat("cgroup path '", input.place.cgroup_path, "' is not absolute"));
  }
  RETURN_IF_ERROR(CheckGpus(input));
  ASSIGN_OR_RETURN(const SecurityOptions security, ResolveSecurityOptions(input));
  ASSIGN_OR_RETURN(const std::vector<std::string> capabilities, ResolveCapabilities(input));
  ASSIGN_OR_RETURN(Json process, BuildProcess(input, security, capabilities));
  ASSIGN_OR_RETURN(Json mounts, BuildMounts(input));
  ASSIGN_OR_RETURN(Json linux_part, BuildLinux(input, security, capabilities));
  ASSIGN_OR_RETURN(const std::string hostname, ResolveHostname(input));
  Json spec{
      {"ociVersion", kOciVersion},
      {"root", {{"path", "rootfs"}, {"readonly", input.container.readonly_root_filesystem()}}},
      {"process", std::move(process)},
      {"mounts", std::move(mounts)},
      {"linux", std::move(linux_part)},
      {"annotations", BuildAnnotations(input)}};
  if (!hostname.empty()) spec["hostname"] = hostname;
  return spec;
}

}  // namespace

absl::StatusOr<std::string> BuildOciSpec(const v1::TaskDefinition& task,
                                         const v1::ContainerDefinition& container,
                                         const v1::TaskOverride& overrides,
                                         const ImageConfig& image, const HostFacts& host,
                                         const ContainerPlace& place) {
  const std::string context = absl::StrCat("container '", container.name(), "'");
  const SpecInput input{task,  container, OverrideOf(overrides, container.name()),
                        image, host,      place};
  try {
    ASSIGN_OR_RETURN(const Json spec, BuildSpec(input), context);
    return spec.dump();
  } catch (const Json::exception& error) {
    // All members are strings and numbers from us, so only a string's bytes can be wrong.
    return absl::InvalidArgumentError(absl::StrCat(context, ": not UTF-8: ", error.what()));
  }
}

}  // namespace davit::spec
