#ifndef DAVIT_AGENT_SPEC_CAPABILITIES_H_
#define DAVIT_AGENT_SPEC_CAPABILITIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// The container's capabilities ("CAP_CHOWN"), in the kernel's order: Docker's default set, changed
// by linuxParameters.capabilities. A privileged container gets all that the host can give. Names
// may be in any case, with or without "CAP_". ALL in `add` means all except `drop`; ALL in `drop`
// means only `add`. InvalidArgument: an unknown name, or one in `add` that the host cannot give.
// Source: capabilities(7); Docker's oci/caps.
absl::StatusOr<std::vector<std::string>> ResolveCapabilities(const SpecInput& input);

// The capabilities in a mask of /proc/PID/status, in the kernel's order.
std::vector<std::string> CapabilitiesInMask(uint64_t mask);

bool HasCapability(const std::vector<std::string>& capabilities, absl::string_view name);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_CAPABILITIES_H_
