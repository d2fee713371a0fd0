#ifndef DAVIT_AGENT_HOST_PROBE_H_
#define DAVIT_AGENT_HOST_PROBE_H_

#include <map>
#include <string>
#include <vector>

#include "agent/resource/cgroup_layout.h"
#include "agent/spec/oci_spec.h"

namespace davit {

// Host facts that only OCI specs need. main() reads them once. All calls block on the kernel for
// some milliseconds and skip what they cannot read.

// The device nodes below `folder` ("/dev") and its sub-folders, by path. Does not follow links.
// Like Docker, skips pseudo-terminals and the folders that are separate file systems in every
// container (shm, mqueue). At most 8 folders deep and 4096 nodes.
std::map<std::string, spec::DeviceNode> ScanDevices(const std::string& folder);

// "CAP_CHOWN", ... from the CapBnd line of /proc/PID/status (proc(5)); empty if there is none.
std::vector<std::string> BoundingCapabilities(absl::string_view proc_status);

// The most capabilities that a container can have: the bounding set of the process that listens at
// containerd's socket, because containers descend from it. The agent's own set may be smaller,
// because its systemd unit drops what the agent does not need. It is used if containerd is not
// there.
std::vector<std::string> ContainerCapabilities(const std::string& containerd_socket);

// Whether the kernel limits swap per cgroup: memory.memsw.limit_in_bytes on v1, memory.swap.max on
// v2 (admin-guide/cgroup-v1/memory.rst, admin-guide/cgroup-v2.rst).
bool CanLimitSwap(const resource::CgroupMounts& mounts);

}  // namespace davit

#endif  // DAVIT_AGENT_HOST_PROBE_H_
