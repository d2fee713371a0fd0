#include "agent/host_probe.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/spec/capabilities.h"
#include "base/file.h"

namespace davit {
namespace {

constexpr int kMaxDepth = 8;
constexpr size_t kMaxDevices = 4096;

bool IsLeftOut(absl::string_view name) {
  return name == "." || name == ".." || name == "pts" || name == "shm" || name == "mqueue" ||
         name == "fd" || name == "console";
}

void Scan(const std::string& folder, int depth, std::map<std::string, spec::DeviceNode>* devices) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(folder.c_str()), &closedir);
  if (listing == nullptr) return;
  while (const dirent* entry = readdir(listing.get())) {
    if (IsLeftOut(entry->d_name) || devices->size() >= kMaxDevices) continue;
    const std::string path = absl::StrCat(folder, "/", entry->d_name);
    struct stat info = {};
    if (lstat(path.c_str(), &info) != 0) continue;
    if (S_ISDIR(info.st_mode) && depth < kMaxDepth) Scan(path, depth + 1, devices);
    if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode)) continue;
    spec::DeviceNode node;
    node.type = S_ISCHR(info.st_mode) ? 'c' : 'b';
    node.major = major(info.st_rdev);
    node.minor = minor(info.st_rdev);
    node.mode = info.st_mode & 07777;
    node.uid = info.st_uid;
    node.gid = info.st_gid;
    devices->emplace(path, node);
  }
}

// The process that listens at a unix socket (SO_PEERCRED, unix(7)); 0: none.
pid_t FindServer(const std::string& socket_path) {
  sockaddr_un address = {};
  if (socket_path.size() >= sizeof address.sun_path) return 0;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  ucred peer = {};
  socklen_t size = sizeof peer;
  const bool is_known =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  close(fd);
  return is_known ? peer.pid : 0;
}

}  // namespace

std::map<std::string, spec::DeviceNode> ScanDevices(const std::string& folder) {
  std::map<std::string, spec::DeviceNode> devices;
  Scan(folder, 0, &devices);
  return devices;
}

std::vector<std::string> BoundingCapabilities(absl::string_view proc_status) {
  for (absl::string_view line : absl::StrSplit(proc_status, '\n')) {
    if (!absl::ConsumePrefix(&line, "CapBnd:")) continue;
    uint64_t mask = 0;
    if (!absl::SimpleHexAtoi(absl::StripAsciiWhitespace(line), &mask)) return {};
    return spec::CapabilitiesInMask(mask);
  }
  return {};
}

std::vector<std::string> ContainerCapabilities(const std::string& containerd_socket) {
  const pid_t server = FindServer(containerd_socket);
  if (server > 0) {
    std::vector<std::string> capabilities =
        BoundingCapabilities(ReadFile(absl::StrCat("/proc/", server, "/status")).value_or(""));
    if (!capabilities.empty()) return capabilities;
  }
  return BoundingCapabilities(ReadFile("/proc/self/status").value_or(""));
}

bool CanLimitSwap(const resource::CgroupMounts& mounts) {
  if (!mounts.IsUnified()) {
    return FileExists(mounts.Folder("memory", "/") + "/memory.memsw.limit_in_bytes");
  }
  // The root cgroup has no limit files, so look at one of its children.
  const std::vector<std::string> children = resource::ChildFolders(mounts.v2);
  return std::any_of(children.begin(), children.end(), [&mounts](const std::string& child) {
    return FileExists(absl::StrCat(mounts.v2, "/", child, "/memory.swap.max"));
  });
}

}  // namespace davit
