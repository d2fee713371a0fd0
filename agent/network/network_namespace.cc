#include "agent/network/network_namespace.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/status.h"

namespace davit::network {

absl::Status CreateNetworkNamespace(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (fd < 0) return ErrnoStatus(errno, absl::StrCat("creating ", path));
  close(fd);
  absl::Status status;
  // Uses a short-lived thread, because the caller's thread must stay in the host's namespace.
  std::thread([&path, &status] {
    if (unshare(CLONE_NEWNET) != 0) {
      status = ErrnoStatus(errno, "creating a network namespace");
    } else if (mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
      status = ErrnoStatus(errno, absl::StrCat("mounting a network namespace on ", path));
    }
  }).join();
  if (!status.ok()) unlink(path.c_str());
  return status;
}

absl::Status RemoveNetworkNamespace(const std::string& path) {
  // EINVAL: not a mount point. Unmounts lazily, because another process may use it.
  while (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  if (errno != EINVAL && errno != ENOENT)
    return ErrnoStatus(errno, absl::StrCat("unmounting ", path));
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return ErrnoStatus(errno, absl::StrCat("removing ", path));
  return absl::OkStatus();
}

bool IsNetworkNamespace(const std::string& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == NSFS_MAGIC;
}

}  // namespace davit::network
