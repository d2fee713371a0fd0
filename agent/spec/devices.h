#ifndef DAVIT_AGENT_SPEC_DEVICES_H_
#define DAVIT_AGENT_SPEC_DEVICES_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// The device parts of a spec.
struct DeviceSpec {
  nlohmann::json* nodes;  // appended to: `linux.devices`
  nlohmann::json* rules;  // appended to: `linux.resources.devices`
};

// Adds Docker's default rules: a container may use null, zero, full, tty, console, random, urandom
// and pseudo-terminals, and may create any node with mknod but not open it. Then adds
// linuxParameters.devices; a hostPath that is a folder means all devices in it. Then adds the
// devices of the container's GPUs, which must have passed CheckGpus(). Privileged: every device of
// the host. Internal: a GPU's node does not exist on the host. InvalidArgument: hostPath is not a
// device of the host, or a permission is not read, write or mknod.
absl::Status AddDevices(const SpecInput& input, const DeviceSpec& spec);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_DEVICES_H_
