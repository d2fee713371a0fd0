#include "base/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/status.h"

namespace davit {
namespace {

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

// Feeds `input` and collects both outputs until the program has closed them. False: `deadline` passed.
bool Converse(const Command& command, Pipe* in, Pipe* out, Pipe* err, absl::Duration deadline,
              CommandResult* result) {
  absl::string_view rest = command.input;
  fcntl(in->write_end(), F_SETFL, O_NONBLOCK);
  if (rest.empty()) in->CloseWrite();
  while (out->read_end() >= 0 || err->read_end() >= 0) {
    const absl::Duration left = deadline - Clock::Real()->Monotonic();
    if (left <= absl::ZeroDuration()) return false;
    std::array<pollfd, 3> polls = {pollfd{out->read_end(), POLLIN, 0}, pollfd{err->read_end(), POLLIN, 0},
                                   pollfd{in->write_end(), POLLOUT, 0}};
    poll(polls.data(), polls.size(), static_cast<int>(std::min<int64_t>(absl::ToInt64Milliseconds(left) + 1, 60000)));
    if (polls[0].revents != 0 && !ReadSome(out->read_end(), &result->output)) out->CloseRead();
    if (polls[1].revents != 0 && !ReadSome(err->read_end(), &result->error_output)) err->CloseRead();
    if (polls[2].revents != 0) {
      const ssize_t wrote = write(in->write_end(), rest.data(), rest.size());
      if (wrote > 0) rest.remove_prefix(static_cast<size_t>(wrote));
      if (rest.empty() || (wrote < 0 && errno != EAGAIN && errno != EINTR)) in->CloseWrite();
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<CommandResult> RunCommand(const Command& command) {
  const absl::Duration deadline = Clock::Real()->Monotonic() + command.timeout;
  Pipe in;
  Pipe out;
  Pipe err;
  if (!in.ok() || !out.ok() || !err.ok()) return ErrnoStatus(errno, "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end(), 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);  // our threads block the signals that main() waits for
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment;
  for (const auto& [name, value] : command.environment) environment.push_back(absl::StrCat(name, "=", value));
  pid_t pid = 0;
  const int error = posix_spawn(&pid, arguments[0].c_str(), &actions, &attributes, Pointers(&arguments).data(),
                                Pointers(&environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return ErrnoStatus(error, absl::StrCat("starting ", arguments[0]));
  in.CloseRead();
  out.CloseWrite();
  err.CloseWrite();

  CommandResult result;
  const bool in_time = Converse(command, &in, &out, &err, deadline, &result);
  if (!in_time) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    return absl::DeadlineExceededError(
        absl::StrCat(arguments[0], " did not end within ", absl::FormatDuration(command.timeout)));
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace davit
