#ifndef DAVIT_AGENT_RUNTIME_CONTAINERD_STATUS_H_
#define DAVIT_AGENT_RUNTIME_CONTAINERD_STATUS_H_

#include "absl/status/status.h"

namespace davit::runtime {

// Whether the shim died during the call. containerd reports that without a code of its own.
bool IsShimGone(const absl::Status& status);

// The runtime made the container, but its command is missing or may not be executed. Known by the
// words of runc and crun: neither has a code for it.
bool IsCommandRefused(const absl::Status& status);

// Converts containerd's codes to Runtime's; see there.
absl::Status ToRuntimeStatus(const absl::Status& status);

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_CONTAINERD_STATUS_H_
