#ifndef DAVIT_BASE_PROCESS_HANDLE_H_
#define DAVIT_BASE_PROCESS_HANDLE_H_

#include <sys/types.h>

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace davit {

// One process, held by a pidfd (pidfd_open(2)). A pid alone is a number that the kernel gives to
// another process once its owner has ended: whoever looks at a process and then acts on its pid may
// act on a stranger. A handle stays with the process it was opened for, so this order is safe:
// open, then look (is it in the cgroup? is it the shim?), then signal. What the look finds true of
// the pid is true of the handle's process, or the signal finds that process gone.
// Movable. Thread-safe, but for moves. Nothing blocks but WaitForEnd().
class ProcessHandle {
 public:
  // NotFound: there is no such process. InvalidArgument: `pid` names none (0, 1 and negative
  // numbers are never killed by us). Unavailable: no descriptor is left.
  static absl::StatusOr<ProcessHandle> Open(pid_t pid);
  ~ProcessHandle();
  ProcessHandle(ProcessHandle&& other) noexcept;
  ProcessHandle& operator=(ProcessHandle&& other) noexcept;

  pid_t pid() const { return pid_; }
  // For poll(2): readable once the process has ended.
  int fd() const { return fd_; }
  // To this process and no other. OK if it has ended.
  absl::Status Signal(int signal_number) const;
  // Kills the process and the process group that it leads. OK, and nothing is done, if it has
  // ended: the group's number may be a stranger's then.
  absl::Status KillGroup() const;
  // False: `timeout` passed.
  bool WaitForEnd(absl::Duration timeout) const;
  bool HasEnded() const { return WaitForEnd(absl::ZeroDuration()); }

 private:
  ProcessHandle(pid_t pid, int fd) : pid_(pid), fd_(fd) {}
  pid_t pid_;
  int fd_;
};

// Opens `pid`, asks `is_wanted`, and signals the process if the answer is yes. OK if it is gone or
// not wanted.
absl::Status SignalIf(pid_t pid, int signal_number, const std::function<bool()>& is_wanted);

}  // namespace davit

#endif  // DAVIT_BASE_PROCESS_HANDLE_H_
