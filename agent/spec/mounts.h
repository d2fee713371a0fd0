#ifndef DAVIT_AGENT_SPEC_MOUNTS_H_
#define DAVIT_AGENT_SPEC_MOUNTS_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// The spec's `mounts`: those of Docker's default container, then the agent's files (hosts,
// resolv.conf, hostname), then the definition's (volumesFrom, mountPoints, tmpfs; mountPoints win
// over volumesFrom) the image's volumes and the driver's files of GPUs, outer folders before those
// inside. A mount of the definition replaces a default one at the same path. InvalidArgument: a
// path that is not absolute or is "/", a volume or container that the task does not have, two
// mounts at one path, a tmpfs option that would make it something else.
absl::StatusOr<nlohmann::json> BuildMounts(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_MOUNTS_H_
