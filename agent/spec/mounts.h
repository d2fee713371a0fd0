#ifndef DAVIT_AGENT_SPEC_MOUNTS_H_
#define DAVIT_AGENT_SPEC_MOUNTS_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// The spec's `mounts`, outer folders before inner ones. First those of Docker's default container,
// then the agent's files (hosts, resolv.conf, hostname). Then those of the definition (volumesFrom,
// mountPoints, tmpfs; mountPoints win over volumesFrom), the image's volumes and the GPU driver's
// files. A mount of the definition replaces a default one at the same path. InvalidArgument: a path
// that is not absolute or is "/", an unknown volume or container, two mounts at one path, or an
// option that is not for a tmpfs.
absl::StatusOr<nlohmann::json> BuildMounts(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_MOUNTS_H_
