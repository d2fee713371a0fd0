#include "base/process_handle.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

// glibc 2.36's header lacks the language linkage.
extern "C" {
#include <sys/pidfd.h>
}

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/status.h"

namespace davit {

absl::StatusOr<ProcessHandle> ProcessHandle::Open(pid_t pid) {
  if (pid <= 1) return absl::InvalidArgumentError(absl::StrCat("pid ", pid, " is nobody's to end"));
  const int fd = pidfd_open(pid, 0);
  if (fd >= 0) return ProcessHandle(pid, fd);
  if (errno == ESRCH) return absl::NotFoundError(absl::StrCat("process ", pid, " has ended"));
  // A thread's number, which is no process's, is EINVAL (ENOENT since Linux 6.9).
  if (errno == EINVAL || errno == ENOENT)
    return absl::NotFoundError(absl::StrCat(pid, " is no process"));
  return ErrnoStatus(errno, absl::StrCat("pidfd_open ", pid));
}

ProcessHandle::~ProcessHandle() {
  if (fd_ >= 0) close(fd_);
}

ProcessHandle::ProcessHandle(ProcessHandle&& other) noexcept
    : pid_(other.pid_), fd_(std::exchange(other.fd_, -1)) {}

ProcessHandle& ProcessHandle::operator=(ProcessHandle&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(fd_, other.fd_);
  return *this;
}

absl::Status ProcessHandle::Signal(int signal_number) const {
  if (pidfd_send_signal(fd_, signal_number, nullptr, 0) == 0 || errno == ESRCH)
    return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("signal ", signal_number, " to process ", pid_));
}

absl::Status ProcessHandle::KillGroup() const {
  // Stopped, it does not end by itself, and as long as it lives its number is nobody else's.
  RETURN_IF_ERROR(Signal(SIGSTOP));
  if (HasEnded()) return absl::OkStatus();
  if (kill(-pid_, SIGKILL) == 0 || errno == ESRCH) return Signal(SIGKILL);
  return ErrnoStatus(errno, absl::StrCat("killing process group ", pid_));
}

bool ProcessHandle::WaitForEnd(absl::Duration timeout) const {
  const absl::Duration deadline = Clock::Real()->Monotonic() + timeout;
  for (;;) {
    const absl::Duration left = deadline - Clock::Real()->Monotonic();
    pollfd watched{fd_, POLLIN, 0};
    const int milliseconds =
        left <= absl::ZeroDuration()
            ? 0
            : static_cast<int>(std::min<int64_t>(absl::ToInt64Milliseconds(left) + 1, 60000));
    if (poll(&watched, 1, milliseconds) > 0) return true;
    if (left <= absl::ZeroDuration()) return false;
  }
}

absl::Status SignalIf(pid_t pid, int signal_number, const std::function<bool()>& is_wanted) {
  const absl::StatusOr<ProcessHandle> process = ProcessHandle::Open(pid);
  if (!process.ok()) return OkIfNotFound(process.status());
  return is_wanted() ? process->Signal(signal_number) : absl::OkStatus();
}

}  // namespace davit
