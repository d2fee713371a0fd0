#ifndef DAVIT_AGENT_SUPERVISOR_TMPFS_H_
#define DAVIT_AGENT_SUPERVISOR_TMPFS_H_

#include <string>

#include "absl/status/status.h"

namespace davit::supervisor {

// Mounts below the agent's state folder, for secrets and volumes in memory. Like containers they
// outlive the agent. A reboot removes them, and the agent creates them again. Thread-safe.

// Mounts a tmpfs with `options` ("size=16m,mode=700"), nosuid and nodev on `folder`, which exists.
// OK if something is mounted there.
absl::Status MountTmpfs(const std::string& folder, const std::string& options);
// Unmounts everything at `folder` and below, even if it is in use. OK if nothing is mounted.
absl::Status UnmountBelow(const std::string& folder);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TMPFS_H_
