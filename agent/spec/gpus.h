#ifndef DAVIT_AGENT_SPEC_GPUS_H_
#define DAVIT_AGENT_SPEC_GPUS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// What NVIDIA's programs look at in a container (nvidia-container-toolkit, "Environment
// variables").
inline constexpr char kVisibleDevices[] = "NVIDIA_VISIBLE_DEVICES";
inline constexpr char kDriverCapabilities[] = "NVIDIA_DRIVER_CAPABILITIES";
inline constexpr char kDefaultDriverCapabilities[] = "compute,utility";

// That the container was given as many GPUs as its resourceRequirements ask for, and that the host
// has them: with fewer it shall not run.
// InvalidArgument: it is not so, or the requirement is no number.
absl::Status CheckGpus(const SpecInput& input);

// Device nodes of the container's GPUs and those that they have in common, each once. None without
// GPUs.
std::vector<std::string> GpuDeviceNodes(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_GPUS_H_
