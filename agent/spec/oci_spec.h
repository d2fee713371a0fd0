#ifndef DAVIT_AGENT_SPEC_OCI_SPEC_H_
#define DAVIT_AGENT_SPEC_OCI_SPEC_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/spec/image_config.h"
#include "davit/v1/task.pb.h"

namespace davit::spec {

// What the host can do, looked up once.
struct HostFacts {
  bool cgroup_v2 = false;
  std::string architecture;         // Go's name: "amd64", "arm64"
  int cpus = 1;
  int64_t memory_bytes = 0;
  std::string seccomp_profile_json; // containers-common's seccomp.json; empty: no filter is set
  bool can_raise_rlimits = true;    // false: CAP_SYS_RESOURCE is missing, rlimits above the host's are refused by name
  std::map<std::string, uint64_t> rlimit_hard;  // the agent's own hard limits by OCI name ("RLIMIT_NOFILE")
};

// Where this container's pieces are on the host. All of it exists by the time the container is created.
struct ContainerPlace {
  std::string task_arn;
  std::string container_name;
  std::string cgroup_path;             // "/davit/<task>/<container>"
  std::string network_namespace_path;  // empty: the host's network namespace
  std::string hostname;                // default one; the definition's hostname wins
  std::string hosts_path;              // bound over /etc/hosts; empty: not
  std::string resolv_conf_path;        // bound over /etc/resolv.conf; empty: not
  std::string hostname_path;           // bound over /etc/hostname; empty: not
  std::map<std::string, std::string> volumes;  // source volume name -> host folder
  std::map<std::string, std::string> extra_environment;  // the agent's own; the definition's `environment` wins
  std::string passwd;  // text of the image's /etc/passwd and /etc/group, empty if it has none
  std::string group;
};

// Task definition + overrides + image config + host facts -> OCI runtime spec (config.json), with Docker's defaults
// wherever the definition is silent. Pure. `container` is one of `task.container_definitions()`.
// InvalidArgument: names the member and what would be right; never retry.
// Source: OCI runtime-spec 1.0.2 config.md and config-linux.md; defaults: Docker's default container.
absl::StatusOr<std::string> BuildOciSpec(const v1::TaskDefinition& task, const v1::ContainerDefinition& container,
                                         const v1::TaskOverride& overrides, const ImageConfig& image,
                                         const HostFacts& host, const ContainerPlace& place);

// Members of the definition that this agent cannot honour, as paths ("containerDefinitions[0].healthCheck"): such a task
// is refused by name, nothing is silently ignored.
std::vector<std::string> UnsupportedMembers(const v1::TaskDefinition& task);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_OCI_SPEC_H_
