#ifndef DAVIT_AGENT_SPEC_PROCESS_H_
#define DAVIT_AGENT_SPEC_PROCESS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/spec/security_options.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// What is executed: entry point followed by command. An entryPoint in the definition hides the
// image's entry point and the image's command; a command (an override's before the definition's)
// hides the image's command; [""] as entryPoint is none. With initProcessEnabled the host's init
// program comes first, but not in the host's PID namespace, where there is one already.
// InvalidArgument: nothing is left to execute, or the host has no init program.
// Source: Docker's merge of container and image configuration.
absl::StatusOr<std::vector<std::string>> ResolveArguments(const SpecInput& input);

// "NAME=value", in order of first appearance. The later of these wins: PATH, HOSTNAME, (with a
// terminal) TERM and (with GPUs) NVIDIA_DRIVER_CAPABILITIES; the image's; the agent's own; those of
// environmentFiles; the definition's; the override's; secrets; (with GPUs) NVIDIA_VISIBLE_DEVICES.
// InvalidArgument: a name that is empty or holds '=' or NUL.
absl::StatusOr<std::vector<std::string>> ResolveEnvironment(const SpecInput& input);

// The definition's hostname, else the place's.
// InvalidArgument: longer than the kernel's 64 bytes, or not made of letters, digits, '-', '.' and
// '_'.
absl::StatusOr<std::string> ResolveHostname(const SpecInput& input);

// The spec's `process`.
absl::StatusOr<nlohmann::json> BuildProcess(const SpecInput& input, const SecurityOptions& security,
                                            const std::vector<std::string>& capabilities);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_PROCESS_H_
