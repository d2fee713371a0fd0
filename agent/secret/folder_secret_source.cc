#include "agent/secret/folder_secret_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace davit::secret {
namespace {

constexpr size_t kMaxBytes = 64U << 10;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  void Reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::Status CheckPrivate(int fd, const std::string& path) {
  struct stat info = {};
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, path);
  if (info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        path,
        " is not private: root must own it, and group and others must have no access (chmod go= ",
        path, ")"));
  }
  if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& path) {
  std::string text(kMaxBytes + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = read(fd, text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, path);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is larger than ", kMaxBytes, " bytes"));
  }
  text.resize(size);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// Opens one component at a time, so that neither a link nor ".." can leave the folder.
absl::StatusOr<std::string> ReadPrivately(const std::string& folder, const std::string& name) {
  std::string path = folder;
  File file(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) return ErrnoStatus(errno, path);
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(name, '/'))) {
    if (part.empty() || part == "." || part == "..") {
      return absl::NotFoundError(absl::StrCat("'", name, "' is not a valid name of a secret"));
    }
    absl::StrAppend(&path, "/", part);
    file.Reset(openat(file.get(), part.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0 && errno == ENOTDIR) return absl::NotFoundError(path);
    if (file.get() < 0) return ErrnoStatus(errno, path);
    RETURN_IF_ERROR(CheckPrivate(file.get(), path));
  }
  struct stat info = {};
  if (fstat(file.get(), &info) != 0) return ErrnoStatus(errno, path);
  if (S_ISDIR(info.st_mode)) return absl::NotFoundError(absl::StrCat(path, " is a folder"));
  return ReadAll(file.get(), path);
}

}  // namespace

absl::StatusOr<std::string> FolderSecretSource::Get(const SecretReference& reference) const {
  if (!folder_.empty()) {
    for (const std::string& name : PlainNames(reference)) {
      absl::StatusOr<std::string> value = ReadPrivately(folder_, name);
      if (value.status().code() != absl::StatusCode::kNotFound) return value;
    }
  }
  return absl::NotFoundError(absl::StrCat(folder_, " has no file ", PlainNames(reference).back()));
}

}  // namespace davit::secret
