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

// Applies one of Docker's options, with '=' or ':' between name and value:
// no-new-privileges[=true|false], seccomp=unconfined, seccomp=builtin. apparmor=unconfined and
// label=disable are accepted and change nothing, because the agent applies neither. False for all
// others: AppArmor profiles, SELinux labels, seccomp profiles by path, credential specs.
bool ApplySecurityOption(absl::string_view option, SecurityOptions* options);

// From `dockerSecurityOptions` and `privileged`. InvalidArgument: ApplySecurityOption() refuses an
// option; the message names it.
absl::StatusOr<SecurityOptions> ResolveSecurityOptions(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_SECURITY_OPTIONS_H_
