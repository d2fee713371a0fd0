#ifndef DAVIT_AGENT_IMAGE_PULL_ERROR_H_
#define DAVIT_AGENT_IMAGE_PULL_ERROR_H_

#include "absl/status/status.h"

namespace davit::image {

// Turns `status` into a container's reason: "CannotPullContainerError: ...", at most 1024 bytes, no
// control characters. Keeps the code; OK stays OK. Pure. Source: Amazon ECS, "CannotPullContainer
// task errors".
absl::Status PullError(const absl::Status& status);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_PULL_ERROR_H_
