#include "agent/log/keeper.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace davit::log {
namespace {

constexpr char kKeeperName[] = "davit-logkeeper";  // 15 bytes: what the kernel keeps of a name
// Before each further writer, so that one that dies at once does not take the processor.
constexpr long kPauseNanoseconds = 100'000'000;
constexpr int kMaxPauses = 9;

// Waits for the end of `pid`; its status as of waitpid(2).
int WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Keeper::~Keeper() {
  if (fd_ >= 0) close(fd_);
}

void Keeper::BecomeKeeper() const {
  prctl(PR_SET_NAME, kKeeperName);
  const size_t room = std::strlen(name_);
  std::memset(name_, 0, room);
  std::memcpy(name_, kKeeperName, std::min(room, sizeof kKeeperName - 1));
}

void Keeper::Split(int descriptor) {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  for (int pauses = 0;; pauses = std::min(pauses + 1, kMaxPauses)) {
    // The keeper alone has the write end: its end of life is the end of this pipe.
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    const pid_t writer = fork();
    if (writer <= 0) {
      close(ends[1]);
      if (writer == 0) {
        fd_ = ends[0];
      } else {
        close(ends[0]);
      }
      return;
    }
    close(ends[0]);
    if (descriptor >= 0) close(descriptor);
    descriptor = -1;
    BecomeKeeper();
    const int status = WaitFor(writer);
    if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
    close(ends[1]);
    ++killed_writers_;
    const timespec pause = {0, kPauseNanoseconds * pauses};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace davit::log
