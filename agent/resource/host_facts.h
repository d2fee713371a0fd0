#ifndef DAVIT_AGENT_RESOURCE_HOST_FACTS_H_
#define DAVIT_AGENT_RESOURCE_HOST_FACTS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace davit::resource {

struct Rlimit {
  uint64_t soft = 0;  // UINT64_MAX: unlimited
  uint64_t hard = 0;
  friend bool operator==(const Rlimit&, const Rlimit&) = default;
};

// Facts about the host, read once at start.
struct HostFacts {
  int cores = 0;  // online logical CPUs; ECS counts 1024 units each
  int64_t memory_bytes = 0;
  std::string kernel;          // "6.1.0-18-amd64"
  std::string architecture;    // Go's name, as in images and ecs.cpu-architecture: "amd64", "arm64"
  std::string boot_id;         // changes with each boot
  std::string machine_id;      // 32 hexadecimal digits, empty if the host has none
  std::string os_family;       // "LINUX": the value of ecs.os-family
  std::string os_release;      // "debian 12": ID and VERSION_ID of os-release(5)
  bool has_cgroup_v2 = false;  // the limiting controllers are cgroup v2's
  std::map<std::string, Rlimit> rlimits;  // the agent's own, by OCI name: "RLIMIT_NOFILE"
  bool may_raise_rlimits = false;         // CAP_SYS_RESOURCE is effective
  std::string nvidia_driver_version;      // "535.104.05"; empty: the driver is not loaded
};

// Reads the files below `root` ("/" in production, a fixture tree in tests): proc/..., sys/...,
// etc/machine-id, etc/os-release. Blocks only on kernel files. The etc/ files are optional.
// NotFound: a file that every Linux has is missing. Internal: a file has unexpected content.
absl::StatusOr<HostFacts> ReadHostFacts(const std::string& root);

// Go's runtime.GOARCH for a machine name: "amd64" for "x86_64". Returns unknown names unchanged.
std::string GoArchitecture(const std::string& machine);

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_HOST_FACTS_H_
