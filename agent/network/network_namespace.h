#ifndef DAVIT_AGENT_NETWORK_NETWORK_NAMESPACE_H_
#define DAVIT_AGENT_NETWORK_NETWORK_NAMESPACE_H_

#include <string>

#include "absl/status/status.h"

// Network namespaces that a bind mount keeps alive, as in ip-netns(8). Thread-safe; need root. The
// folder needs no shared mount of its own: on hosts with shared mounts (systemd) it has one
// already. On others only processes of this mount namespace see it, which includes containerd's
// shims.

namespace davit::network {

// Creates a new, empty namespace and mounts it on `path`, whose folder exists. AlreadyExists:
// `path` exists.
absl::Status CreateNetworkNamespace(const std::string& path);
// Unmounts and removes `path`; the kernel removes the namespace with its last process. OK if it
// does not exist or is incomplete.
absl::Status RemoveNetworkNamespace(const std::string& path);
// False also for the plain file that a reboot or an interrupted creation leaves.
bool IsNetworkNamespace(const std::string& path);

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_NETWORK_NAMESPACE_H_
