#ifndef DAVIT_AGENT_SPEC_SECCOMP_H_
#define DAVIT_AGENT_SPEC_SECCOMP_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::spec {

// The target of a system call filter.
struct SeccompTarget {
  std::string architecture;               // Go's name: "amd64", "arm64"
  std::string kernel_release;             // "6.1.0-18-amd64"; empty: newer than any rule requires
  std::vector<std::string> capabilities;  // of the container
};

// Converts a profile to the spec's `linux.seccomp`. The profile has the form of Docker, Podman and
// CRI-O: rules with `includes` and `excludes` by capability, architecture and kernel.
// containers-common's profile is laxer than Docker's: it leaves mount, unshare, keyctl and others
// to the kernel's own checks, which a new user namespace circumvents. So calls that Docker denies
// without a capability are denied whatever the profile says (kGuards in the source).
// FailedPrecondition: not such a profile, or it does not support the architecture. Source:
// containers/common pkg/seccomp; OCI config-linux.md, "Seccomp"; Docker's default profile.
absl::StatusOr<nlohmann::json> BuildSeccomp(absl::string_view profile_json,
                                            const SeccompTarget& target);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_SECCOMP_H_
