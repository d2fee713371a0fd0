#ifndef DAVIT_AGENT_HOST_PROBE_H_
#define DAVIT_AGENT_HOST_PROBE_H_

#include <map>
#include <string>
#include <vector>

#include "agent/resource/cgroup_layout.h"
#include "agent/spec/oci_spec.h"

namespace davit {

// What only OCI specs need to know of the host, looked up once by main(). All calls block on the
// kernel for some milliseconds; what cannot be read is left out.

// Device nodes below `folder` ("/dev"), in sub-folders too, by their path. Links are not followed;
// pseudo-terminals and the folders that are file systems of their own in every container (shm,
// mqueue) are left out, as Docker does. At most 8 folders deep and 4096 nodes.
std::map<std::string, spec::DeviceNode> ScanDevices(const std::string& folder);

// "CAP_CHOWN", ... from the CapBnd line of /proc/PID/status (proc(5)); empty if there is none.
std::vector<std::string> BoundingCapabilities(absl::string_view proc_status);

// Capabilities that a container can have at most: the bounding set of the process that listens at
// containerd's socket, whose descendants containers are. The agent's own may be smaller: its unit
// takes away what the agent itself has no use for. It is what counts when containerd is not there.
std::vector<std::string> ContainerCapabilities(const std::string& containerd_socket);

// Whether the kernel limits swap per cgroup: memory.memsw.limit_in_bytes on v1, memory.swap.max on
// v2 (admin-guide/cgroup-v1/memory.rst, admin-guide/cgroup-v2.rst).
bool CanLimitSwap(const resource::CgroupMounts& mounts);

}  // namespace davit

#endif  // DAVIT_AGENT_HOST_PROBE_H_
