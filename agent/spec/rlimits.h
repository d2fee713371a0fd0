#ifndef DAVIT_AGENT_SPEC_RLIMITS_H_
#define DAVIT_AGENT_SPEC_RLIMITS_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// The spec's `process.rlimits` from the definition's `ulimits`; -1 means unlimited. Other limits
// are inherited. InvalidArgument: an unknown or repeated name, softLimit above hardLimit, or a hard
// limit above the agent's own, if the agent lacks CAP_SYS_RESOURCE to raise it. Source:
// getrlimit(2); names of the ECS data type Ulimit.
absl::StatusOr<nlohmann::json> BuildRlimits(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_RLIMITS_H_
