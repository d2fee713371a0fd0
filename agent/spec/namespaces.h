#ifndef DAVIT_AGENT_SPEC_NAMESPACES_H_
#define DAVIT_AGENT_SPEC_NAMESPACES_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// The spec's `linux.namespaces`. A container always has its own mount and UTS namespaces, PID and
// IPC namespaces unless the mode is "host", and the network namespace of ContainerPlace unless
// networkMode is "host". Like Docker it gets its own cgroup namespace on cgroup v2. With the mode
// "task" it gets the PID or IPC namespace of ContainerPlace, which all containers of the task share
// (pause.h). InvalidArgument: an unknown mode. Internal: a namespace of ContainerPlace does not fit
// the mode.
absl::StatusOr<nlohmann::json> BuildNamespaces(const SpecInput& input);

// The spec's `linux.sysctl`: Docker's defaults for a container with a network of its own (every
// user may bind every port and send pings), and systemControls, which win. InvalidArgument: the
// setting is the host's, because it has no namespace or the container shares that namespace with
// the host. Source: Docker's and runc's lists of namespaced settings; Docker's defaults since
// 20.10.
absl::StatusOr<nlohmann::json> BuildSysctls(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_NAMESPACES_H_
