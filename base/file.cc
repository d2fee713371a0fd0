#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/blocking_calls.h"
#include "base/status.h"

namespace davit {
namespace {

absl::Status WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, "write");
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status Sync(int fd) {
  return fsync(fd) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "fsync");
}

absl::Status Replace(const std::string& path, absl::string_view text, unsigned mode,
                     bool is_durable) {
  const Doing step("writing ", path);
  const std::string temporary = absl::StrCat(path, ".new");
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return ErrnoStatus(errno, absl::StrCat("open ", temporary));
  absl::Status written = WriteAll(fd, text);
  if (written.ok() && is_durable) written = Sync(fd);
  close(fd);
  if (!written.ok() || rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    return written.ok() ? ErrnoStatus(error, absl::StrCat("rename to ", path))
                        : Annotate(written, temporary);
  }
  return is_durable ? SyncFolderOf(path) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const Doing step("reading ", path);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, absl::StrCat("open ", path));
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      close(fd);
      return ErrnoStatus(error, absl::StrCat("read ", path));
    }
    if (got == 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
  return text;
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, absl::StrCat("open ", folder));
  const int synced = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return synced == 0 ? absl::OkStatus() : ErrnoStatus(synced, absl::StrCat("fsync ", folder));
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view text, unsigned mode) {
  return Replace(path, text, mode, /*is_durable=*/true);
}

absl::Status WriteFileUntilReboot(const std::string& path, absl::string_view text, unsigned mode) {
  return Replace(path, text, mode, /*is_durable=*/false);
}

absl::Status MakeDirectories(const std::string& path, unsigned mode) {
  const Doing step("making folder ", path);
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (error) return ErrnoStatus(error.value(), absl::StrCat("mkdir ", path));
  if (made && chmod(path.c_str(), mode) != 0)
    return ErrnoStatus(errno, absl::StrCat("chmod ", path));
  return absl::OkStatus();
}

absl::Status RemoveAll(const std::string& path) {
  const Doing step("removing ", path);
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error && error.value() != ENOENT)
    return ErrnoStatus(error.value(), absl::StrCat("remove ", path));
  return absl::OkStatus();
}

bool FileExists(const std::string& path) {
  const Doing step("inspecting ", path);
  std::error_code error;
  return std::filesystem::exists(path, error);
}

}  // namespace davit
