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

// A device node of the host.
struct DeviceNode {
  char type = 'c';  // 'c' or 'b'
  int64_t major = 0;
  int64_t minor = 0;
  uint32_t mode = 0600;  // permission bits only
  uint32_t uid = 0;
  uint32_t gid = 0;
};

// Facts about the host, read once.
struct HostFacts {
  bool cgroup_v2 = false;
  std::string architecture;  // Go's name: "amd64", "arm64"
  int cpus = 1;
  int64_t memory_bytes = 0;
  // containers-common's seccomp.json; empty: no filter.
  std::string seccomp_profile_json;
  // False: CAP_SYS_RESOURCE is missing, so rlimits above the agent's own are refused by name.
  bool can_raise_rlimits = true;
  // The agent's own hard limits by OCI name ("RLIMIT_NOFILE").
  std::map<std::string, uint64_t> rlimit_hard;
  // The bounding set: the most that containers may have ("CAP_CHOWN"). Empty: all, but
  // CAP_SYS_RESOURCE only with can_raise_rlimits.
  std::vector<std::string> capabilities;
  std::string kernel_release;  // "6.1.0-18-amd64"; empty: newer than any rule requires
  bool can_limit_swap = true;  // false on cgroup v1 without memory.memsw.limit_in_bytes
  // Device nodes by path ("/dev/fuse"), for linuxParameters.devices and `privileged`.
  std::map<std::string, DeviceNode> devices;
  // GPUs for tasks, by id: paths in `devices`.
  std::map<std::string, std::vector<std::string>> gpus;
  // Every container with a GPU also gets these: paths in `devices`, and read-only mounts (path in
  // the container -> path on the host).
  std::vector<std::string> gpu_common_devices;
  std::map<std::string, std::string> gpu_mounts;
  // A static init program for initProcessEnabled ("/usr/bin/tini-static"). Empty: the host has
  // none.
  std::string init_path;
  // davit-pause, for pidMode and ipcMode "task" (pause.h). Empty: it is not installed.
  std::string pause_path;
};

// Where the parts of a container are on the host. All exist before the container is created.
struct ContainerPlace {
  std::string task_arn;
  std::string container_name;
  std::string cgroup_path;             // "/davit/<task>/<container>"
  std::string network_namespace_path;  // empty: the host's; only for networkMode "host"
  // The namespaces that the task's containers share with pidMode or ipcMode "task"; else empty.
  std::string pid_namespace_path;
  std::string ipc_namespace_path;
  std::string shared_memory_path;  // with ipc_namespace_path: the host folder for their /dev/shm
  std::string hostname;            // default; the definition's hostname wins
  std::string hosts_path;          // bind-mounted over /etc/hosts; empty: none
  std::string resolv_conf_path;    // bind-mounted over /etc/resolv.conf; empty: none
  std::string hostname_path;       // bind-mounted over /etc/hostname; empty: none
  std::map<std::string, std::string> volumes;  // source volume name -> host folder
  // Path in the image (ImageConfig::volumes) -> host folder. Other paths stay in the container's
  // own layer.
  std::map<std::string, std::string> image_volumes;
  // The quota of the task's cgroup; 0: none. A container's quota cannot exceed it (cgroup v1
  // refuses that).
  int64_t task_cpu_units = 0;
  std::vector<std::string> gpu_ids;  // the container's GPUs, from HostFacts::gpus
  int64_t pids_limit = 0;            // processes and threads; 0: none
  // Variables from the agent; the definition's `environment` wins.
  std::map<std::string, std::string> extra_environment;
  // From environmentFiles; `environment` wins.
  std::map<std::string, std::string> file_environment;
  // From `secrets`, by name; they win over all others.
  std::map<std::string, std::string> secrets;
  // Files to bind-mount read-only: path in the container -> path on the host.
  std::map<std::string, std::string> secret_files;
  // The image's /etc/passwd and /etc/group; empty: it has none.
  std::string passwd;
  std::string group;
};

// Builds the OCI runtime spec (config.json) from task definition, overrides, image config and host
// facts. Uses Docker's defaults for unset members. Pure and thread-safe; never throws. `container`
// is one of `task.container_definitions()`. InvalidArgument: the message names the member and a
// correct value; never retry. FailedPrecondition: the host's seccomp profile is unusable. Internal:
// `place` lacks something that the definition requires (a network namespace, a volume's folder).
// That is a bug of ours; the container must not run with less isolation. Source: OCI runtime-spec
// 1.0.2 config.md and config-linux.md; Docker's default container.
absl::StatusOr<std::string> BuildOciSpec(const v1::TaskDefinition& task,
                                         const v1::ContainerDefinition& container,
                                         const v1::TaskOverride& overrides,
                                         const ImageConfig& image, const HostFacts& host,
                                         const ContainerPlace& place);

// Members of the definition that this agent does not support, as paths
// ("containerDefinitions[0].healthCheck"). The agent refuses such a task and names the members; it
// ignores nothing silently. Unset members and defaults are never listed. docs/task-definition.md
// describes the treatment of each member.
std::vector<std::string> UnsupportedMembers(const v1::TaskDefinition& task);
// The same for the overrides of RunTask and StartTask ("containerOverrides[0].environmentFiles").
std::vector<std::string> UnsupportedMembers(const v1::TaskOverride& overrides);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_OCI_SPEC_H_
