#ifndef DAVIT_AGENT_SPEC_CAPABILITIES_H_
#define DAVIT_AGENT_SPEC_CAPABILITIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// The container's capabilities ("CAP_CHOWN"), in the kernel's order: Docker's default set, changed
// by linuxParameters.capabilities; all that the host can give when privileged. Names are taken in
// any case, with or without "CAP_"; ALL in `add` means all but `drop`, ALL in `drop` means only
// `add`.
// InvalidArgument: an unknown name, or one in `add` that the host cannot give.
// Source: capabilities(7); Docker's oci/caps.
absl::StatusOr<std::vector<std::string>> ResolveCapabilities(const SpecInput& input);

// The names of the bits of a mask as in /proc/PID/status, in the kernel's order.
std::vector<std::string> CapabilitiesInMask(uint64_t mask);

bool HasCapability(const std::vector<std::string>& capabilities, absl::string_view name);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_CAPABILITIES_H_
