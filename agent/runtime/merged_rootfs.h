#ifndef DAVIT_AGENT_RUNTIME_MERGED_ROOTFS_H_
#define DAVIT_AGENT_RUNTIME_MERGED_ROOTFS_H_

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/runtime/runtime.h"

// Reads a rootfs as overlayfs would show it, without mounting it. Functions block on the disk.

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
  // The path of the descriptor in this process. It can open O_PATH descriptors and read their
  // xattrs.
  std::string ProcPath() const;

 private:
  int fd_;
};

// One folder of the merged view: the folder in each layer that has it, uppermost first.
using MergedFolder = std::vector<Descriptor>;

// An entry of a merged folder. Descriptors are O_PATH.
struct Entry {
  enum class Kind { kAbsent, kFolder, kLink, kFile };  // kFile: also devices, FIFOs, sockets
  Kind kind = Kind::kAbsent;
  MergedFolder folder;               // kFolder
  std::string link;                  // kLink: its target
  Descriptor node = Descriptor(-1);  // kLink, kFile
};

// Looks up `name` (one component, not "." or "..") as overlayfs does. The uppermost layer decides;
// folders merge downwards until a whiteout, an opaque folder or something that is not a folder.
// Opens a single component without following links, so that no layer can lead out of itself.
absl::StatusOr<Entry> LookUp(const MergedFolder& parent, const std::string& name);

// Resolves `path` as seen from inside the container. Follows links, which never leave the rootfs.
// Returns kFile or kFolder. NotFound: no layer has it, or its links form a cycle.
absl::StatusOr<Entry> Resolve(const Rootfs& rootfs, const std::string& path);

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_MERGED_ROOTFS_H_
