#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/runtime/runtime.h"
#include "base/status.h"

namespace davit::runtime {
namespace {

// As Linux: path_resolution(7).
constexpr int kMaxLinks = 40;
// Files read this way are passwd, group and the like.
constexpr size_t kMaxBytes = 4U << 20;

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

 private:
  int fd_;
};

// One folder of the merged view: its part in each layer that has one, uppermost first.
using MergedFolder = std::vector<Descriptor>;

// What a name in a merged folder is.
struct Entry {
  enum class Kind { kAbsent, kFolder, kLink, kFile };
  Kind kind = Kind::kAbsent;
  MergedFolder folder;               // kFolder
  std::string link;                  // kLink: its target
  Descriptor file = Descriptor(-1);  // kFile: an O_PATH descriptor
};

// Overlay's mark for "the folder below is hidden". Source: kernel, filesystems/overlayfs.rst.
// O_PATH descriptors have no xattr calls, hence the way through /proc.
bool IsOpaque(int folder) {
  const std::string path = absl::StrCat("/proc/self/fd/", folder);
  for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
    char value = 0;
    if (getxattr(path.c_str(), name, &value, 1) == 1 && value == 'y') return true;
  }
  return false;
}

absl::StatusOr<std::string> ReadLink(int link) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = readlinkat(link, "", target.data(), target.size());
  if (length < 0) return ErrnoStatus(errno, "readlink");
  target.resize(static_cast<size_t>(length));
  return target;
}

// Looks `name` (one component, not "." or "..") up as overlayfs does: the uppermost layer decides,
// folders merge downwards until a whiteout, an opaque folder or something that is no folder.
// A single component is opened without following links, so no layer can lead out of itself.
absl::StatusOr<Entry> LookUp(const MergedFolder& parent, const std::string& name) {
  Entry entry;
  for (const Descriptor& layer : parent) {
    Descriptor found(openat(layer.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (found.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) continue;
    if (found.get() < 0) return ErrnoStatus(errno, absl::StrCat("open ", name));
    struct stat info = {};
    if (fstat(found.get(), &info) != 0) return ErrnoStatus(errno, absl::StrCat("stat ", name));
    if (S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0)) break;  // a whiteout
    if (S_ISDIR(info.st_mode)) {
      const bool is_last = IsOpaque(found.get());
      entry.kind = Entry::Kind::kFolder;
      entry.folder.push_back(std::move(found));
      if (is_last) break;
      continue;
    }
    if (entry.kind == Entry::Kind::kFolder) break;
    if (S_ISLNK(info.st_mode)) {
      entry.kind = Entry::Kind::kLink;
      ASSIGN_OR_RETURN(entry.link, ReadLink(found.get()), name);
    } else {
      entry.kind = Entry::Kind::kFile;
      entry.file = std::move(found);
    }
    break;
  }
  return entry;
}

absl::StatusOr<std::string> ReadRegularFile(int path_descriptor) {
  struct stat info = {};
  if (fstat(path_descriptor, &info) != 0) return ErrnoStatus(errno, "stat");
  // Opening a device or a FIFO could block, or do something.
  if (!S_ISREG(info.st_mode)) return absl::FailedPreconditionError("not a regular file");
  const Descriptor file(
      open(absl::StrCat("/proc/self/fd/", path_descriptor).c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return ErrnoStatus(errno, "open");
  std::string bytes;
  char buffer[16384];
  for (;;) {
    const ssize_t count = read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "read");
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(count));
    if (bytes.size() > kMaxBytes) {
      return absl::ResourceExhaustedError(absl::StrCat("larger than ", kMaxBytes, " bytes"));
    }
  }
}

absl::StatusOr<MergedFolder> OpenRoot(const Rootfs& rootfs) {
  MergedFolder root;
  for (const std::string& layer : rootfs.layers) {
    Descriptor folder(open(layer.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0) return ErrnoStatus(errno, absl::StrCat("open layer ", layer));
    root.push_back(std::move(folder));
  }
  return root;
}

void PushFront(const std::string& path, std::deque<std::string>* components) {
  const std::vector<std::string> added = absl::StrSplit(path, '/', absl::SkipEmpty());
  components->insert(components->begin(), added.begin(), added.end());
}

}  // namespace

absl::StatusOr<std::string> ReadFromRootfs(const Rootfs& rootfs, const std::string& path) {
  const auto not_found = [&] { return absl::NotFoundError(absl::StrCat("no layer has ", path)); };
  ASSIGN_OR_RETURN(MergedFolder root, OpenRoot(rootfs), "reading ", path);
  std::vector<MergedFolder> trail;  // from the root to where we are: ".." pops, never past the root
  trail.push_back(std::move(root));
  std::deque<std::string> components;
  PushFront(path, &components);
  int links = 0;
  while (!components.empty()) {
    const std::string name = std::move(components.front());
    components.pop_front();
    if (name == ".") continue;
    if (name == "..") {
      if (trail.size() > 1) trail.pop_back();
      continue;
    }
    ASSIGN_OR_RETURN(Entry entry, LookUp(trail.back(), name), "reading ", path);
    switch (entry.kind) {
      case Entry::Kind::kAbsent:
        return not_found();
      case Entry::Kind::kFolder:
        trail.push_back(std::move(entry.folder));
        break;
      case Entry::Kind::kLink:
        if (++links > kMaxLinks) return not_found();
        if (entry.link.starts_with('/')) trail.resize(1);
        PushFront(entry.link, &components);
        break;
      case Entry::Kind::kFile: {
        if (!components.empty()) return not_found();
        absl::StatusOr<std::string> bytes = ReadRegularFile(entry.file.get());
        if (!bytes.ok()) return Annotate(bytes.status(), absl::StrCat("reading ", path));
        return bytes;
      }
    }
  }
  return absl::FailedPreconditionError(absl::StrCat("reading ", path, ": a folder"));
}

}  // namespace davit::runtime
