#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "agent/runtime/merged_rootfs.h"
#include "agent/runtime/runtime.h"
#include "base/status.h"

namespace davit::runtime {
namespace {

// Only small files such as passwd and group are read this way.
constexpr size_t kMaxBytes = 4U << 20;

absl::StatusOr<std::string> ReadRegularFile(const Descriptor& node) {
  struct stat info = {};
  if (fstat(node.get(), &info) != 0) return ErrnoStatus(errno, "stat");
  // Opening a device or FIFO could block or have side effects.
  if (!S_ISREG(info.st_mode)) return absl::FailedPreconditionError("not a regular file");
  const Descriptor file(open(node.ProcPath().c_str(), O_RDONLY | O_CLOEXEC));
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

}  // namespace

absl::StatusOr<std::string> ReadFromRootfs(const Rootfs& rootfs, const std::string& path) {
  ASSIGN_OR_RETURN(const Entry entry, Resolve(rootfs, path), "reading ", path);
  if (entry.kind != Entry::Kind::kFile) {
    return absl::FailedPreconditionError(absl::StrCat("reading ", path, ": a folder"));
  }
  absl::StatusOr<std::string> bytes = ReadRegularFile(entry.node);
  if (!bytes.ok()) return Annotate(bytes.status(), absl::StrCat("reading ", path));
  return bytes;
}

}  // namespace davit::runtime
