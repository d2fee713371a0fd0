#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "agent/runtime/merged_rootfs.h"
#include "agent/runtime/runtime.h"
#include "base/blocking_calls.h"
#include "base/status.h"

namespace davit::runtime {
namespace {

constexpr int kMaxDepth = 64;  // of folders; each needs a descriptor per layer
constexpr size_t kPiece = 1U << 30;

// The names in the folder in any layer, including whiteouts.
absl::StatusOr<std::set<std::string>> NamesIn(const MergedFolder& folder) {
  std::set<std::string> names;
  for (const Descriptor& layer : folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(layer.ProcPath().c_str()), &closedir);
    if (listing == nullptr) return ErrnoStatus(errno, "listing");
    while (const dirent* entry = readdir(listing.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.insert(name);
    }
  }
  return names;
}

absl::Status CopyBytes(const Descriptor& from, int64_t size, int to) {
  const Descriptor source(open(from.ProcPath().c_str(), O_RDONLY | O_CLOEXEC));
  if (source.get() < 0) return ErrnoStatus(errno, "open");
  while (size > 0) {
    const ssize_t count = sendfile(to, source.get(), nullptr, kPiece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "copy");
    if (count == 0) break;
    size -= count;
  }
  return absl::OkStatus();
}

// Owner before mode: chown clears set-user-id bits.
absl::Status SetOwnerAndMode(int parent, const char* name, const struct stat& info) {
  if (fchownat(parent, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoStatus(errno, "chown");
  }
  if (!S_ISLNK(info.st_mode) && fchmodat(parent, name, info.st_mode & 07777, 0) != 0) {
    return ErrnoStatus(errno, "chmod");
  }
  const timespec times[] = {info.st_atim, info.st_mtim};
  if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) != 0) return ErrnoStatus(errno, "utimes");
  return absl::OkStatus();
}

// Copies a file, link, device or FIFO. Keeps an existing one, from a container that was faster.
absl::Status CopyNode(const Entry& entry, int to, const std::string& name) {
  struct stat info = {};
  if (fstat(entry.node.get(), &info) != 0) return ErrnoStatus(errno, "stat");
  int made = 0;
  if (entry.kind == Entry::Kind::kLink) {
    made = symlinkat(entry.link.c_str(), to, name.c_str());
  } else if (S_ISREG(info.st_mode)) {
    const Descriptor file(
        openat(to, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    made = file.get() < 0 ? -1 : 0;
    if (made == 0) RETURN_IF_ERROR(CopyBytes(entry.node, info.st_size, file.get()));
  } else if (!S_ISSOCK(info.st_mode)) {
    made = mknodat(to, name.c_str(), info.st_mode, info.st_rdev);
  } else {
    return absl::OkStatus();
  }
  if (made != 0 && errno == EEXIST) return absl::OkStatus();
  if (made != 0) return ErrnoStatus(errno, "create");
  return SetOwnerAndMode(to, name.c_str(), info);
}

absl::Status CopyFolder(const MergedFolder& from, int to, int depth) {
  if (depth > kMaxDepth) return absl::FailedPreconditionError("folders are too deep");
  ASSIGN_OR_RETURN(const std::set<std::string> names, NamesIn(from));
  for (const std::string& name : names) {
    const Doing step("copying ", name);  // each has its own time: a long copy is not a stuck one
    ASSIGN_OR_RETURN(const Entry entry, LookUp(from, name), name);
    if (entry.kind == Entry::Kind::kAbsent) continue;
    if (entry.kind != Entry::Kind::kFolder) {
      RETURN_IF_ERROR(CopyNode(entry, to, name), name);
      continue;
    }
    if (mkdirat(to, name.c_str(), 0700) != 0 && errno != EEXIST) return ErrnoStatus(errno, name);
    const Descriptor inner(
        openat(to, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (inner.get() < 0) return ErrnoStatus(errno, name);
    RETURN_IF_ERROR(CopyFolder(entry.folder, inner.get(), depth + 1), name);
  }
  struct stat info = {};
  if (fstat(from.front().get(), &info) != 0) return ErrnoStatus(errno, "stat");
  return SetOwnerAndMode(to, ".", info);
}

}  // namespace

absl::Status CopyFolderFromRootfs(const Rootfs& rootfs, const std::string& path,
                                  const std::string& destination) {
  const std::string what = absl::StrCat("copying ", path, " of the image to ", destination);
  const absl::StatusOr<Entry> entry = Resolve(rootfs, path);
  if (!entry.ok()) return OkIfNotFound(Annotate(entry.status(), what));
  if (entry->kind != Entry::Kind::kFolder) return absl::OkStatus();
  const Descriptor to(open(destination.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (to.get() < 0) return ErrnoStatus(errno, what);
  RETURN_IF_ERROR(CopyFolder(entry->folder, to.get(), 0), what);
  return absl::OkStatus();
}

}  // namespace davit::runtime
