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

// What the agent must know of its host, read once at start.
struct HostFacts {
  int cores = 0;  // online logical CPUs; ECS counts 1024 units each
  int64_t memory_bytes = 0;
  std::string kernel;  // "6.1.0-18-amd64"
  std::string
      architecture;     // Go's name, as images and ecs.cpu-architecture have it: "amd64", "arm64"
  std::string boot_id;  // changes with each boot
  std::string machine_id;                 // 32 hexadecimal digits, empty if the host has none
  std::string os_family;                  // "LINUX": the value of ecs.os-family
  std::string os_release;                 // "debian 12": ID and VERSION_ID of os-release(5)
  bool has_cgroup_v2 = false;             // limiting controllers are cgroup v2's
  std::map<std::string, Rlimit> rlimits;  // own ones, by OCI's name: "RLIMIT_NOFILE"
  bool may_raise_rlimits = false;         // CAP_SYS_RESOURCE is effective
  std::string nvidia_driver_version;      // "535.104.05"; empty: the driver is not loaded
};

// Reads the files below `root` ("/" in production, a fixture tree in tests): proc/..., sys/...,
// etc/machine-id, etc/os-release. Blocks on kernel files only. What only some hosts have
// (machine-id, os-release) may be missing. NotFound: a file that every Linux has is not there.
// Internal: one that cannot be understood.
absl::StatusOr<HostFacts> ReadHostFacts(const std::string& root);

// "amd64" for "x86_64", as Go's runtime.GOARCH; unknown names stay.
std::string GoArchitecture(const std::string& machine);

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_HOST_FACTS_H_
