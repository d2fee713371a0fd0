#ifndef DAVIT_AGENT_SPEC_DEFAULT_MOUNTS_H_
#define DAVIT_AGENT_SPEC_DEFAULT_MOUNTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

inline constexpr int32_t kDefaultSharedMemoryMib = 64;

// One entry of the spec's `mounts`.
struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
  friend bool operator==(const Mount&, const Mount&) = default;
};

Mount BindMount(absl::string_view source, absl::string_view destination, bool read_only);

// The mounts of Docker's default container, changed by privileged, ipcMode and sharedMemorySize
// (MiB). Containers that share their IPC namespace share the /dev/shm of ContainerPlace.
// InvalidArgument: sharedMemorySize below 1.
absl::StatusOr<std::vector<Mount>> DefaultMounts(const SpecInput& input);

// Paths that Docker hides from a container, or makes read-only. None for a privileged container.
std::vector<std::string> MaskedPaths(const SpecInput& input);
std::vector<std::string> ReadonlyPaths(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_DEFAULT_MOUNTS_H_
