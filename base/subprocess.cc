#include "base/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc 2.36's header lacks the language linkage.
extern "C" {
#include <sys/pidfd.h>
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>

#include "base/blocking_calls.h"
#include "base/clock.h"
#include "base/status.h"

namespace davit {
namespace {

constexpr absl::Duration kKillTime = absl::Seconds(2);  // for a killed program to be gone
constexpr absl::Duration kAskPeriod = absl::Milliseconds(20);

// A pipe whose ends are closed at scope's end unless closed before.
class Pipe {
 public:
  Pipe() : ok_(pipe2(ends_.data(), O_CLOEXEC) == 0) {}
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool ok() const { return ok_; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void CloseRead() { Close(&ends_[0]); }
  void CloseWrite() { Close(&ends_[1]); }

 private:
  static void Close(int* fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
  std::array<int, 2> ends_ = {-1, -1};
  bool ok_;
};

struct StandardStreams {
  Pipe in;
  Pipe out;
  Pipe err;
  bool ok() const { return in.ok() && out.ok() && err.ok(); }
};

std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> pointers;
  for (std::string& text : *strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Reads what there is; false at the end of the stream.
bool ReadSome(int fd, std::string* into) {
  char buffer[8192];
  const ssize_t got = read(fd, buffer, sizeof(buffer));
  if (got > 0) into->append(buffer, static_cast<size_t>(got));
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

// A program that ends before it has read its input gives us EPIPE, not a signal: it is held back
// from this thread, and what came of it is taken away again.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec at_once{};
    while (sigtimedwait(&sigpipe_, nullptr, &at_once) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t sigpipe_;
  sigset_t before_;
};

// For poll(2): rounded up, and at most a minute.
int PollTimeout(absl::Duration left) {
  return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(left) + 1, 0, 60000));
}

// Feeds `input` and collects both outputs until the program has closed them. False: `deadline`
// passed.
bool Converse(const Command& command, StandardStreams* streams, absl::Duration deadline,
              CommandResult* result) {
  const NoSigpipe no_sigpipe;
  auto& [in, out, err] = *streams;
  absl::string_view rest = command.input;
  fcntl(in.write_end(), F_SETFL, O_NONBLOCK);
  if (rest.empty()) in.CloseWrite();
  while (out.read_end() >= 0 || err.read_end() >= 0) {
    const absl::Duration left = deadline - Clock::Real()->Monotonic();
    if (left <= absl::ZeroDuration()) return false;
    std::array<pollfd, 3> polls = {pollfd{out.read_end(), POLLIN, 0},
                                   pollfd{err.read_end(), POLLIN, 0},
                                   pollfd{in.write_end(), POLLOUT, 0}};
    poll(polls.data(), polls.size(), PollTimeout(left));
    if (polls[0].revents != 0 && !ReadSome(out.read_end(), &result->output)) out.CloseRead();
    if (polls[1].revents != 0 && !ReadSome(err.read_end(), &result->error_output)) err.CloseRead();
    if (polls[2].revents != 0) {
      const ssize_t wrote = write(in.write_end(), rest.data(), rest.size());
      if (wrote > 0) rest.remove_prefix(static_cast<size_t>(wrote));
      if (rest.empty() || (wrote < 0 && errno != EAGAIN && errno != EINTR)) in.CloseWrite();
    }
  }
  return true;
}

// True once the program has ended; its status is kept for waitpid().
bool HasEnded(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

// Waits for the program's end. False: `deadline` passed. A program may close its outputs long
// before it ends.
bool WaitForExit(pid_t pid, absl::Duration deadline) {
  // None when there is no descriptor left, and on kernels before 5.3: the end is then asked for.
  const int fd = pidfd_open(pid, 0);
  bool ended = HasEnded(pid);
  while (!ended) {
    const absl::Duration left = deadline - Clock::Real()->Monotonic();
    if (left <= absl::ZeroDuration()) break;
    pollfd watched{fd, POLLIN, 0};
    poll(&watched, 1, PollTimeout(fd < 0 ? std::min(left, kAskPeriod) : left));
    ended = HasEnded(pid);
  }
  if (fd >= 0) close(fd);
  return ended;
}

// Takes the status of a program that was killed. One that hangs in the kernel, on a file system
// that does not answer, does not even die of SIGKILL: a thread of its own waits for it then, and
// the caller goes on.
void ReapKilled(pid_t pid) {
  const auto reap = [pid] {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  };
  if (WaitForExit(pid, Clock::Real()->Monotonic() + kKillTime)) return reap();
  try {
    std::thread(reap).detach();
  } catch (const std::system_error&) {  // no thread to be had: it stays a zombie
  }
}

absl::StatusOr<pid_t> Spawn(const Command& command, StandardStreams* streams) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, streams->in.read_end(), 0);
  posix_spawn_file_actions_adddup2(&actions, streams->out.write_end(), 1);
  posix_spawn_file_actions_adddup2(&actions, streams->err.write_end(), 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes,
                             &signals);  // our threads block the signals that main() waits for
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment;
  for (const auto& [name, value] : command.environment)
    environment.push_back(absl::StrCat(name, "=", value));
  pid_t pid = 0;
  const int error = posix_spawn(&pid, arguments[0].c_str(), &actions, &attributes,
                                Pointers(&arguments).data(), Pointers(&environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return ErrnoStatus(error, absl::StrCat("starting ", arguments[0]));
  streams->in.CloseRead();
  streams->out.CloseWrite();
  streams->err.CloseWrite();
  return pid;
}

}  // namespace

absl::StatusOr<CommandResult> RunCommand(const Command& command) {
  if (command.arguments.empty()) return absl::InvalidArgumentError("a command without a program");
  const Doing step("running ", command.arguments[0]);
  const absl::Duration deadline = Clock::Real()->Monotonic() + command.timeout;
  StandardStreams streams;
  if (!streams.ok()) return ErrnoStatus(errno, "pipe");
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(command, &streams));
  CommandResult result;
  const bool in_time = Converse(command, &streams, deadline, &result) && WaitForExit(pid, deadline);
  if (!in_time) {
    // Our child has not been waited for yet: its number, and so its group's, is nobody else's.
    kill(-pid, SIGKILL);
    ReapKilled(pid);
    return absl::DeadlineExceededError(absl::StrCat(command.arguments[0], " did not end within ",
                                                    absl::FormatDuration(command.timeout)));
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace davit
