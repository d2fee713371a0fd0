#ifndef DAVIT_AGENT_SPEC_SECURITY_OPTIONS_H_
#define DAVIT_AGENT_SPEC_SECURITY_OPTIONS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

struct SecurityOptions {
  bool no_new_privileges = false;
  bool seccomp_unconfined = false;
  friend bool operator==(const SecurityOptions&, const SecurityOptions&) = default;
};

// Docker's words, with '=' or ':' between name and value: no-new-privileges[=true|false],
// seccomp=unconfined, seccomp=builtin; apparmor=unconfined and label=disable say what holds anyway,
// since the agent applies neither. False for everything else: AppArmor profiles, SELinux labels,
// seccomp profiles by path, credential specs.
bool ApplySecurityOption(absl::string_view option, SecurityOptions* options);

// From `dockerSecurityOptions` and `privileged`.
// InvalidArgument: an option that ApplySecurityOption() refuses, by name.
absl::StatusOr<SecurityOptions> ResolveSecurityOptions(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_SECURITY_OPTIONS_H_
