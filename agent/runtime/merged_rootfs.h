#ifndef DAVIT_AGENT_RUNTIME_MERGED_ROOTFS_H_
#define DAVIT_AGENT_RUNTIME_MERGED_ROOTFS_H_

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/runtime/runtime.h"

// A rootfs seen as overlayfs shows it, without mounting it. Functions block on the disk.

namespace davit::runtime {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  // Its name in the calling process: O_PATH descriptors are opened, or asked for xattrs, by it.
  std::string ProcPath() const;

 private:
  int fd_;
};

// One folder of the merged view: its part in each layer that has one, uppermost first.
using MergedFolder = std::vector<Descriptor>;

// What a name in a merged folder is. Descriptors are O_PATH.
struct Entry {
  enum class Kind { kAbsent, kFolder, kLink, kFile };  // kFile: also devices, FIFOs, sockets
  Kind kind = Kind::kAbsent;
  MergedFolder folder;               // kFolder
  std::string link;                  // kLink: its target
  Descriptor node = Descriptor(-1);  // kLink, kFile
};

// Looks `name` (one component, not "." or "..") up as overlayfs does: the uppermost layer decides,
// folders merge downwards until a whiteout, an opaque folder or something that is no folder.
// A single component is opened without following links, so no layer can lead out of itself.
absl::StatusOr<Entry> LookUp(const MergedFolder& parent, const std::string& name);

// What `path` is, seen from inside: links are followed and never leave the rootfs. kFile or
// kFolder. NotFound: no layer has it, or its links go in circles.
absl::StatusOr<Entry> Resolve(const Rootfs& rootfs, const std::string& path);

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_MERGED_ROOTFS_H_
