#ifndef DAVIT_AGENT_RUNTIME_FORGOTTEN_SHIM_H_
#define DAVIT_AGENT_RUNTIME_FORGOTTEN_SHIM_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::runtime {

// What names a shim on this host: the arguments that containerd starts it with.
struct ShimIdentity {
  std::string containerd_address;
  std::string containerd_namespace;
  std::string container_id;
};

// Ends a shim that containerd no longer knows, with its container, and removes its socket.
// containerd 1.6 leaves one behind when `runc create` or a logger hangs for longer than the call;
// it then finds that shim's socket at the next creation by the same id, and hangs again (containerd
// issue 6860). Call only when containerd has no task of that id. Blocks for up to `timeout` on
// processes and `runc` (absolute path). OK if there is no such shim. DeadlineExceeded: it does not
// end.
absl::Status KillForgottenShim(const ShimIdentity& shim, const std::string& runc,
                               absl::Duration timeout);

// The folder (the shim's bundle) that is in the way of a container's creation, which failed with
// these words of containerd's; empty: they speak of something else. containerd 1.6 that is killed
// between making it and starting the shim cannot clear it away at its next start, and refuses every
// creation by that id from then on. Source: containerd, runtime/v2/bundle.go, NewBundle().
std::string FindForgottenBundle(absl::string_view failure, const ShimIdentity& shim);

// Removes such a folder, after KillForgottenShim(). What is mounted in it is unmounted and stays as
// it is. OK if gone.
absl::Status RemoveForgottenBundle(const std::string& bundle);

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_FORGOTTEN_SHIM_H_
