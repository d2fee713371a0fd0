#include "tests/agent/runtime/oci_spec.h"

#include <nlohmann/json.hpp>

namespace davit::test {

std::string MinimalOciSpec(const std::vector<std::string>& arguments, const std::string& cgroup,
                           int64_t memory_bytes) {
  nlohmann::json spec = nlohmann::json::parse(R"({
    "ociVersion": "1.0.2",
    "process": {"cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}},
    "root": {"path": "rootfs"},
    "mounts": [
      {"destination": "/proc", "type": "proc", "source": "proc"},
      {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]}
    ],
    "linux": {
      "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}],
      "resources": {"devices": [{"allow": true, "access": "rwm"}]}
    }
  })");
  spec["process"]["args"] = arguments;
  spec["linux"]["cgroupsPath"] = cgroup;
  if (memory_bytes > 0) {
    // Swap too: the limit of both together (config-linux.md).
    spec["linux"]["resources"]["memory"] = {{"limit", memory_bytes}, {"swap", memory_bytes}};
  }
  return spec.dump();
}

}  // namespace davit::test
