#ifndef DAVIT_AGENT_SPEC_DEVICES_H_
#define DAVIT_AGENT_SPEC_DEVICES_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// What a container has of devices.
struct DeviceSpec {
  nlohmann::json* nodes;  // appended to: `linux.devices`
  nlohmann::json* rules;  // appended to: `linux.resources.devices`
};

// Docker's default rules (null, zero, full, tty, console, random, urandom, pseudo-terminals may be
// used; any node may be made with mknod, none of the others opened), then linuxParameters.devices.
// A hostPath that is a folder means all devices in it. Then those of the container's GPUs, which
// have passed CheckGpus(). Privileged: every device of the host. Internal: a GPU's node is none of
// the host's. InvalidArgument: hostPath is no device of the host, a permission is none of read,
// write, mknod.
absl::Status AddDevices(const SpecInput& input, const DeviceSpec& spec);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_DEVICES_H_
