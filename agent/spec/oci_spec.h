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

// What the host can do, looked up once.
struct HostFacts {
  bool cgroup_v2 = false;
  std::string architecture;  // Go's name: "amd64", "arm64"
  int cpus = 1;
  int64_t memory_bytes = 0;
  // containers-common's seccomp.json; empty: no filter is set.
  std::string seccomp_profile_json;
  // False: CAP_SYS_RESOURCE is missing, rlimits above the host's are refused by name.
  bool can_raise_rlimits = true;
  // The agent's own hard limits by OCI name ("RLIMIT_NOFILE").
  std::map<std::string, uint64_t> rlimit_hard;
  // What containers may have at most ("CAP_CHOWN"): a bounding set. Empty: every one, but
  // CAP_SYS_RESOURCE only with can_raise_rlimits.
  std::vector<std::string> capabilities;
  std::string kernel_release;  // "6.1.0-18-amd64"; empty: as new as any rule asks for
  bool can_limit_swap = true;  // false on cgroup v1 without memory.memsw.limit_in_bytes
  // Device nodes by path ("/dev/fuse"), for linuxParameters.devices and `privileged`.
  std::map<std::string, DeviceNode> devices;
  // GPUs that tasks may be given, by id: paths in `devices`.
  std::map<std::string, std::vector<std::string>> gpus;
  // What every container with a GPU is given as well: paths in `devices`, and read-only mounts,
  // path in the container -> path on the host.
  std::vector<std::string> gpu_common_devices;
  std::map<std::string, std::string> gpu_mounts;
  // A static program that reaps and forwards signals, for initProcessEnabled
  // ("/usr/bin/tini-static"). Empty: the host has none.
  std::string init_path;
  // davit-pause, for pidMode and ipcMode "task" (pause.h). Empty: it is not installed.
  std::string pause_path;
};

// Where this container's pieces are on the host. All of it exists by the time the container is
// created.
struct ContainerPlace {
  std::string task_arn;
  std::string container_name;
  std::string cgroup_path;             // "/davit/<task>/<container>"
  std::string network_namespace_path;  // empty: the host's, which only networkMode "host" may have
  // Those that the containers of the task share by pidMode or ipcMode "task"; else empty.
  std::string pid_namespace_path;
  std::string ipc_namespace_path;
  std::string
      shared_memory_path;        // with ipc_namespace_path: the host folder that is their /dev/shm
  std::string hostname;          // default one; the definition's hostname wins
  std::string hosts_path;        // bound over /etc/hosts; empty: not
  std::string resolv_conf_path;  // bound over /etc/resolv.conf; empty: not
  std::string hostname_path;     // bound over /etc/hostname; empty: not
  std::map<std::string, std::string> volumes;  // source volume name -> host folder
  // Path in the image (ImageConfig::volumes) -> host folder. A path that is absent stays in the
  // container's own layer.
  std::map<std::string, std::string> image_volumes;
  // The quota of the task's cgroup, which no container's can exceed (cgroup v1 refuses such a one);
  // 0: none.
  int64_t task_cpu_units = 0;
  std::vector<std::string> gpu_ids;  // of HostFacts::gpus, those that are the container's
  int64_t pids_limit = 0;            // processes and threads; 0: none
  // The agent's own variables; the definition's `environment` wins.
  std::map<std::string, std::string> extra_environment;
  // From environmentFiles; `environment` wins.
  std::map<std::string, std::string> file_environment;
  // From `secrets`, by name; they win over everything.
  std::map<std::string, std::string> secrets;
  // Files that are bound read-only: path in the container -> path on the host.
  std::map<std::string, std::string> secret_files;
  // Texts of the image's /etc/passwd and /etc/group, empty if it has none.
  std::string passwd;
  std::string group;
};

// Task definition + overrides + image config + host facts -> OCI runtime spec (config.json), with
// Docker's defaults wherever the definition is silent. Pure and thread-safe; throws nothing.
// `container` is one of `task.container_definitions()`.
// InvalidArgument: names the member and what would be right; never retry.
// FailedPrecondition: the host's seccomp profile cannot be used.
// Internal: `place` lacks what the definition asks for (a network namespace, a volume's folder):
// our bug, and no excuse for running with less isolation.
// Source: OCI runtime-spec 1.0.2 config.md and config-linux.md; Docker's default container.
absl::StatusOr<std::string> BuildOciSpec(const v1::TaskDefinition& task,
                                         const v1::ContainerDefinition& container,
                                         const v1::TaskOverride& overrides,
                                         const ImageConfig& image, const HostFacts& host,
                                         const ContainerPlace& place);

// Members of the definition that this agent cannot honour, as paths
// ("containerDefinitions[0].healthCheck"): such a task is refused by name, nothing is silently
// ignored. Members that are unset or set to their default are never listed. docs/task-definition.md
// says of each member how it is treated.
std::vector<std::string> UnsupportedMembers(const v1::TaskDefinition& task);
// The same for what RunTask and StartTask override ("containerOverrides[0].environmentFiles").
std::vector<std::string> UnsupportedMembers(const v1::TaskOverride& overrides);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_OCI_SPEC_H_
