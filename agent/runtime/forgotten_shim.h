#ifndef DAVIT_AGENT_RUNTIME_FORGOTTEN_SHIM_H_
#define DAVIT_AGENT_RUNTIME_FORGOTTEN_SHIM_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::runtime {

// Identifies a shim on this host: the arguments that containerd starts it with.
struct ShimIdentity {
  std::string containerd_address;
  std::string containerd_namespace;
  std::string container_id;
};

// Ends a shim that containerd has forgotten, with its container, and removes its socket. containerd
// 1.6 leaves such a shim behind when `runc create` or a logger hangs longer than the call. At the
// next creation under the same id it finds that shim's socket and hangs again (containerd issue
// 6860). Call only if containerd has no task of that id. Blocks for up to `timeout` on processes
// and `runc` (absolute path). OK if there is no such shim. DeadlineExceeded: the shim does not end.
absl::Status KillForgottenShim(const ShimIdentity& shim, const std::string& runc,
                               absl::Duration timeout);

// The left-over folder (the shim's bundle) that made a creation fail with containerd's message
// `failure`; empty: the message has another cause. If containerd 1.6 is killed after it has created
// the folder and before it has started the shim, its next start does not remove the folder, and
// every creation under that id fails. Source: containerd, runtime/v2/bundle.go, NewBundle().
std::string FindForgottenBundle(absl::string_view failure, const ShimIdentity& shim);

// Removes such a folder; call it after KillForgottenShim(). Unmounts what is mounted in the folder
// without changing its content. OK if it does not exist.
absl::Status RemoveForgottenBundle(const std::string& bundle);

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_FORGOTTEN_SHIM_H_
