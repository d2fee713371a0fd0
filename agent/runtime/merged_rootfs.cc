#include "agent/runtime/merged_rootfs.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cerrno>
#include <deque>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace davit::runtime {
namespace {

// Linux's limit: path_resolution(7).
constexpr int kMaxLinks = 40;

// Whether overlayfs hides the folders below. Source: kernel, filesystems/overlayfs.rst. xattr calls
// do not work on O_PATH descriptors, so this uses the path in /proc.
bool IsOpaque(const Descriptor& folder) {
  const std::string path = folder.ProcPath();
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

std::string Descriptor::ProcPath() const { return absl::StrCat("/proc/self/fd/", fd_); }

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
      const bool is_last = IsOpaque(found);
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
    }
    entry.node = std::move(found);
    break;
  }
  return entry;
}

absl::StatusOr<Entry> Resolve(const Rootfs& rootfs, const std::string& path) {
  const auto not_found = [&] { return absl::NotFoundError(absl::StrCat("no layer has ", path)); };
  ASSIGN_OR_RETURN(MergedFolder root, OpenRoot(rootfs));
  std::vector<MergedFolder>
      trail;  // from the root to the current folder; ".." pops, but never the root
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
    ASSIGN_OR_RETURN(Entry entry, LookUp(trail.back(), name));
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
      case Entry::Kind::kFile:
        if (!components.empty()) return not_found();
        return entry;
    }
  }
  Entry folder;
  folder.kind = Entry::Kind::kFolder;
  folder.folder = std::move(trail.back());
  return folder;
}

}  // namespace davit::runtime
