#ifndef DAVIT_AGENT_NETWORK_NETWORK_NAMESPACE_H_
#define DAVIT_AGENT_NETWORK_NETWORK_NAMESPACE_H_

#include <string>

#include "absl/status/status.h"

// Network namespaces kept alive by a bind mount, as ip-netns(8) does. Thread-safe; need root. The
// folder is not made a shared mount of its own: where the host has shared mounts (systemd), ours is
// one already; elsewhere only this mount namespace's processes, containerd's shims among them, see
// it.

namespace davit::network {

// Makes a new, empty namespace and mounts it on `path`, whose folder exists. AlreadyExists: there
// is something.
absl::Status CreateNetworkNamespace(const std::string& path);
// Unmounts and removes `path`; the kernel drops the namespace with its last process. OK if gone or
// only half made.
absl::Status RemoveNetworkNamespace(const std::string& path);
// False also if `path` is the plain file that a reboot or half a creation leaves.
bool IsNetworkNamespace(const std::string& path);

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_NETWORK_NAMESPACE_H_
