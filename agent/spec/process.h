#ifndef DAVIT_AGENT_SPEC_PROCESS_H_
#define DAVIT_AGENT_SPEC_PROCESS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/spec/security_options.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// The command line: entry point followed by command. An entryPoint in the definition replaces the
// image's entry point and command. A command (an override's before the definition's) replaces the
// image's command. The entryPoint [""] means none. With initProcessEnabled the host's init program
// comes first, except in the host's PID namespace, which has an init. InvalidArgument: there is
// nothing to execute, or the host has no init program. Source: Docker's merge of container and
// image configuration.
absl::StatusOr<std::vector<std::string>> ResolveArguments(const SpecInput& input);

// The variables as "NAME=value", in the order of their first appearance. Of these sources the later
// wins: PATH, HOSTNAME, TERM (with a terminal) and NVIDIA_DRIVER_CAPABILITIES (with GPUs); the
// image; the agent; environmentFiles; the definition; the override; secrets; NVIDIA_VISIBLE_DEVICES
// (with GPUs). InvalidArgument: a name is empty or contains '=' or NUL.
absl::StatusOr<std::vector<std::string>> ResolveEnvironment(const SpecInput& input);

// The definition's hostname, else that of ContainerPlace. InvalidArgument: longer than the kernel's
// 64 bytes, or has characters other than letters, digits, '-', '.' and '_'.
absl::StatusOr<std::string> ResolveHostname(const SpecInput& input);

// The spec's `process`.
absl::StatusOr<nlohmann::json> BuildProcess(const SpecInput& input, const SecurityOptions& security,
                                            const std::vector<std::string>& capabilities);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_PROCESS_H_
