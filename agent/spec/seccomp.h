#ifndef DAVIT_AGENT_SPEC_SECCOMP_H_
#define DAVIT_AGENT_SPEC_SECCOMP_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::spec {

// What a system call filter is made for.
struct SeccompTarget {
  std::string architecture;               // Go's name: "amd64", "arm64"
  std::string kernel_release;             // "6.1.0-18-amd64"; empty: newer than any rule asks for
  std::vector<std::string> capabilities;  // of the container
};

// A profile in the form that Docker, Podman and CRI-O share (rules with `includes` and `excludes`
// by capability, architecture and kernel) as the spec's `linux.seccomp`. containers-common's
// profile is laxer than Docker's: it leaves mount, unshare, keyctl and more to the kernel's own
// checks, which a new user namespace gets around. What Docker denies without a capability is
// therefore denied here whatever the profile says (kGuards in the source).
// FailedPrecondition: the text is no such profile, or it does not know the architecture.
// Source: containers/common pkg/seccomp; OCI config-linux.md, "Seccomp"; Docker's default profile.
absl::StatusOr<nlohmann::json> BuildSeccomp(absl::string_view profile_json,
                                            const SeccompTarget& target);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_SECCOMP_H_
