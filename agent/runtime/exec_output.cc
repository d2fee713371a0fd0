#include "agent/runtime/exec_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::runtime {
namespace {

constexpr size_t kReadSize = 16 << 10;
// The size of a pipe (pipe(7)). If there is more in one go, a writer is still active.
constexpr size_t kPipeCapacity = 64 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<ExecOutput>> ExecOutput::Open(const std::string& path,
                                                             size_t max_bytes) {
  unlink(path.c_str());
  if (mkfifo(path.c_str(), 0600) != 0) return ErrnoStatus(errno, absl::StrCat("mkfifo ", path));
  // Opens for writing too, so that the reader sees no end of file between two writers, and a writer
  // finds a reader at once.
  const int pipe = open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  const int wake = pipe < 0 ? -1 : eventfd(0, EFD_CLOEXEC);
  if (wake < 0) {
    const absl::Status status = ErrnoStatus(errno, absl::StrCat("open ", path));
    if (pipe >= 0) close(pipe);
    unlink(path.c_str());
    return status;
  }
  return std::unique_ptr<ExecOutput>(new ExecOutput(path, pipe, wake, max_bytes));
}

ExecOutput::ExecOutput(std::string path, int pipe, int wake, size_t max_bytes)
    : path_(std::move(path)), pipe_(pipe), wake_(wake), max_bytes_(max_bytes) {
  thread_ = std::thread([this] { Read(); });
}

ExecOutput::~ExecOutput() {
  Finish();
  close(pipe_);
  close(wake_);
  unlink(path_.c_str());
}

void ExecOutput::Read() {
  pollfd watched[] = {{pipe_, POLLIN, 0}, {wake_, POLLIN, 0}};
  for (;;) {
    if (poll(watched, 2, -1) < 0 && errno != EINTR) return;
    Drain(kPipeCapacity);
    if (watched[1].revents != 0) return;
  }
}

void ExecOutput::Drain(size_t limit) {
  char buffer[kReadSize];
  for (size_t taken = 0; taken < limit;) {
    const ssize_t count = read(pipe_, buffer, sizeof buffer);
    if (count <= 0) return;
    taken += static_cast<size_t>(count);
    text_.append(buffer, static_cast<size_t>(count));
    if (text_.size() > max_bytes_) text_.erase(0, text_.size() - max_bytes_);
  }
}

std::string ExecOutput::Finish() {
  if (thread_.joinable()) {
    eventfd_write(wake_, 1);
    thread_.join();
  }
  return text_;
}

}  // namespace davit::runtime
