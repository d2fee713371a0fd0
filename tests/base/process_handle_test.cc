#include "base/process_handle.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/file.h"

namespace davit {
namespace {

// A child that waits to be killed. Not by SIGTERM: Catch2, which it has inherited, handles that.
class Child {
 public:
  Child() : pid_(fork()) {
    while (pid_ == 0) pause();
  }
  ~Child() {
    if (is_there_) kill(pid_, SIGKILL);
    Reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // Waits for its end: from then on the number may be another's. The signal that ended it.
  int Reap() {
    if (is_there_) waitpid(pid_, &status_, 0);
    is_there_ = false;
    return WIFSIGNALED(status_) ? WTERMSIG(status_) : 0;
  }

 private:
  const pid_t pid_;
  bool is_there_ = true;
  int status_ = 0;
};

TEST_CASE("a handle signals its process and sees its end", "[process_handle]") {
  Child child;
  const absl::StatusOr<ProcessHandle> process = ProcessHandle::Open(child.pid());
  REQUIRE(process.ok());
  CHECK(process->pid() == child.pid());
  CHECK_FALSE(process->HasEnded());
  REQUIRE(process->Signal(SIGKILL) == absl::OkStatus());
  CHECK(process->WaitForEnd(absl::Seconds(10)));
  CHECK(child.Reap() == SIGKILL);
}

TEST_CASE("a handle of a process that has ended reaches nobody, whoever has its number now",
          "[process_handle]") {
  Child child;
  const absl::StatusOr<ProcessHandle> process = ProcessHandle::Open(child.pid());
  REQUIRE(process.ok());
  kill(child.pid(), SIGUSR2);
  CHECK(child.Reap() == SIGUSR2);
  CHECK(process->HasEnded());
  CHECK(process->Signal(SIGKILL) == absl::OkStatus());
  CHECK(absl::IsNotFound(ProcessHandle::Open(child.pid()).status()));
}

TEST_CASE("a process is killed with the group that it leads, and not after its end",
          "[process_handle]") {
  Child leader;
  Child member;
  REQUIRE(setpgid(leader.pid(), leader.pid()) == 0);
  REQUIRE(setpgid(member.pid(), leader.pid()) == 0);
  const absl::StatusOr<ProcessHandle> process = ProcessHandle::Open(leader.pid());
  REQUIRE(process.ok());
  SECTION("it lives") {
    CHECK(process->KillGroup() == absl::OkStatus());
    CHECK(leader.Reap() == SIGKILL);
    CHECK(member.Reap() == SIGKILL);
  }
  SECTION("it has ended") {
    kill(leader.pid(), SIGUSR2);
    CHECK(leader.Reap() == SIGUSR2);
    CHECK(process->KillGroup() == absl::OkStatus());
    kill(member.pid(), SIGUSR1);
    CHECK(member.Reap() == SIGUSR1);
  }
}

TEST_CASE("nobody, everybody and process 1 are never signalled", "[process_handle]") {
  for (const pid_t pid : {0, 1, -1, -4711}) {
    CHECK(absl::IsInvalidArgument(ProcessHandle::Open(pid).status()));
    CHECK(absl::IsInvalidArgument(SignalIf(pid, 0, [] { return true; })));
  }
}

TEST_CASE("a process that is not the wanted one any more is spared", "[process_handle]") {
  Child child;
  bool is_wanted = false;
  REQUIRE(SignalIf(child.pid(), SIGKILL, [&] { return is_wanted; }) == absl::OkStatus());
  is_wanted = true;
  REQUIRE(SignalIf(child.pid(), SIGUSR1, [&] { return is_wanted; }) == absl::OkStatus());
  CHECK(child.Reap() == SIGUSR1);
  CHECK(SignalIf(child.pid(), SIGKILL, [] { return true; }) == absl::OkStatus());
}

}  // namespace
}  // namespace davit
