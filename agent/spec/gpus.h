#ifndef DAVIT_AGENT_SPEC_GPUS_H_
#define DAVIT_AGENT_SPEC_GPUS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// The variable that NVIDIA's programs read in a container (nvidia-container-toolkit, "Environment
// variables").
inline constexpr char kVisibleDevices[] = "NVIDIA_VISIBLE_DEVICES";
inline constexpr char kDriverCapabilities[] = "NVIDIA_DRIVER_CAPABILITIES";
inline constexpr char kDefaultDriverCapabilities[] = "compute,utility";

// Checks that the container was assigned as many GPUs as its resourceRequirements demand, and that
// the host has them. With fewer GPUs it must not run. InvalidArgument: a check failed, or the
// requirement is not a number.
absl::Status CheckGpus(const SpecInput& input);

// The device nodes of the container's GPUs and the common nodes, each once. None without GPUs.
std::vector<std::string> GpuDeviceNodes(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_GPUS_H_
