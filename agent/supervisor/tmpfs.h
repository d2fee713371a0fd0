#ifndef DAVIT_AGENT_SUPERVISOR_TMPFS_H_
#define DAVIT_AGENT_SUPERVISOR_TMPFS_H_

#include <string>

#include "absl/status/status.h"

namespace davit::supervisor {

// Mounts of the agent's own below its state folder: volumes in memory, and secrets. They outlive
// the agent, as containers do; a reboot takes them away, and they are made again. Thread-safe.

// Mounts a tmpfs with `options` ("size=16m,mode=700") on `folder`, which exists; nosuid, nodev. OK
// if something is mounted there.
absl::Status MountTmpfs(const std::string& folder, const std::string& options);
// Unmounts all that is mounted at `folder` and below, also what is in use. OK if there is nothing.
absl::Status UnmountBelow(const std::string& folder);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TMPFS_H_
