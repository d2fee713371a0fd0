#ifndef DAVIT_TESTS_SUPPORT_CONTAINERD_SERVER_H_
#define DAVIT_TESTS_SUPPORT_CONTAINERD_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace davit::test {

// A private containerd for a test: temporary root, state and socket, no CRI. Needs root. The
// destructor ends it, its shims and their containers, and removes mounts, cgroups and files. Not
// thread-safe.
class ContainerdServer {
 public:
  // Starts and waits until it answers. NotFound: containerd or runc is not installed.
  // PermissionDenied: not root.
  static absl::StatusOr<std::unique_ptr<ContainerdServer>> Start();
  ~ContainerdServer();
  ContainerdServer(const ContainerdServer&) = delete;
  ContainerdServer& operator=(const ContainerdServer&) = delete;

  std::string address() const { return folder_ + "/containerd.sock"; }
  // A temporary folder, removed with the server.
  const std::string& folder() const { return folder_; }
  // Unique per server. Use it, because runc keeps its state by namespace and container id in one
  // folder of the host (/run/containerd/runc), whatever containerd's state folder is.
  std::string containerd_namespace() const;
  // For cgroupsPath of containers, e.g. "/davit-test-1234". Removed with the server.
  std::string cgroup_parent() const;

  // containerd's own; -1 after Kill().
  pid_t pid() const { return pid_; }
  // Sends SIGKILL. Shims and containers keep running.
  void Kill();
  // After Kill(): starts it again on the same state.
  absl::Status Restart();
  // The shims that this containerd started, or the one of a container.
  std::vector<pid_t> ShimPids(const std::string& container_id = "") const;

 private:
  explicit ContainerdServer(std::string folder) : folder_(std::move(folder)) {}
  absl::Status Launch();
  void RemoveShimSocket(pid_t shim) const;
  void RemoveShimLeftovers() const;
  void Unmount() const;
  void RemoveCgroups() const;

  const std::string folder_;
  pid_t pid_ = -1;  // -1: not running
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_SUPPORT_CONTAINERD_SERVER_H_
