#include "agent/log/logger.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/log/log_health.h"
#include "agent/log/tail.h"
#include "base/process_handle.h"
#include "tests/agent/log/temp_folder.h"

namespace davit::log {
namespace {

// The program itself, started like the containerd shim starts it.
class Logger {
 public:
  explicit Logger(const std::vector<std::string>& arguments) {
    int out[2];
    int err[2];
    int ready[2];
    REQUIRE(pipe2(out, O_CLOEXEC) == 0);
    REQUIRE(pipe2(err, O_CLOEXEC) == 0);
    REQUIRE(pipe2(ready, O_CLOEXEC) == 0);
    pid_ = fork();
    if (pid_ == 0) Exec(out[0], err[0], ready[1], arguments);
    close(out[0]);
    close(err[0]);
    close(ready[1]);
    stdout_ = out[1];
    stderr_ = err[1];
    char byte = 0;
    CHECK(read(ready[0], &byte, 1) == 0);  // closed: it is ready
    close(ready[0]);
  }
  ~Logger() {
    CloseStdout();
    CloseStderr();
    if (pid_ > 0) kill(pid_, SIGKILL);
    WaitForExit();
  }
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void Say(const std::string& text) { Write(stdout_, text); }
  void Complain(const std::string& text) { Write(stderr_, text); }
  void WaitUntilRead() const {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    int bytes = 1;
    while (bytes > 0 && absl::Now() < deadline) {
      REQUIRE(ioctl(stdout_, FIONREAD, &bytes) == 0);
      sched_yield();
    }
    REQUIRE(bytes == 0);
  }
  void CloseStdout() { Close(&stdout_); }
  void CloseStderr() { Close(&stderr_); }
  int pid() const { return pid_; }
  // Of the process that does the work, once it is beside `pid`.
  static int WriterOf(int pid) {
    const std::string path = absl::StrCat("/proc/", pid, "/task/", pid, "/children");
    int child = 0;
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (child == 0 && absl::Now() < deadline) {
      std::ifstream(path) >> child;
      sched_yield();
    }
    REQUIRE(child > 0);
    return child;
  }
  // Kills `pid`, which is the logger's, and waits for its end.
  static void Kill(int pid) {
    const auto process = ProcessHandle::Open(pid);
    REQUIRE(process.ok());
    REQUIRE(process->Signal(SIGKILL).ok());
    REQUIRE(process->WaitForEnd(absl::Seconds(10)));
  }
  // The exit code after both pipes were closed; -1: a signal ended it.
  int WaitForExit() {
    CloseStdout();
    CloseStderr();
    if (pid_ <= 0) return -1;
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  [[noreturn]] static void Exec(int out, int err, int ready,
                                const std::vector<std::string>& arguments) {
    // Move them away from the numbers that they will get.
    const int from[] = {fcntl(out, F_DUPFD_CLOEXEC, 20), fcntl(err, F_DUPFD_CLOEXEC, 20),
                        fcntl(ready, F_DUPFD_CLOEXEC, 20)};
    for (int i = 0; i < 3; ++i) dup2(from[i], 3 + i);
    std::vector<char*> pointers = {const_cast<char*>(DAVIT_LOGGER_PATH)};
    for (const std::string& argument : arguments)
      pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    execv(DAVIT_LOGGER_PATH, pointers.data());
    _exit(127);
  }
  static void Write(int fd, const std::string& text) {
    size_t done = 0;
    while (done < text.size()) {
      const ssize_t written = write(fd, text.data() + done, text.size() - done);
      REQUIRE(written > 0);
      done += static_cast<size_t>(written);
    }
  }
  static void Close(int* fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }

  int pid_ = 0;
  int stdout_ = -1;
  int stderr_ = -1;
};

TEST_CASE("the output of both streams is in the log", "[log]") {
  const TempFolder folder;
  Logger logger({"max_size", "100000", "file", folder.File("log"), "max_files", "2"});
  logger.Say("hello\nwor");
  logger.Say("ld\n");
  logger.CloseStdout();
  logger.Complain("no newline");
  CHECK(logger.WaitForExit() == 0);
  const absl::StatusOr<std::vector<LogLine>> lines = Tail(folder.File("log"), {});
  REQUIRE(lines.ok());
  std::vector<std::string> out;
  std::vector<std::string> err;
  for (const LogLine& line : *lines) (line.stream == "stdout" ? out : err).push_back(line.text);
  CHECK(out == std::vector<std::string>{"hello\n", "world\n"});
  CHECK(err == std::vector<std::string>{"no newline"});
  CHECK(absl::Now() - lines->back().time < absl::Minutes(5));
}

TEST_CASE("all bytes of a busy container arrive in order, in files of the requested size",
          "[log]") {
  const TempFolder folder;
  Logger logger({"file", folder.File("log"), "max_size", "400000", "max_files", "50"});
  std::string said;
  for (int i = 0; i < 100000; ++i) absl::StrAppend(&said, "line ", i, "\n");
  logger.Say(said);
  CHECK(logger.WaitForExit() == 0);
  CHECK(folder.Read("log").size() <= 400000);
  CHECK(folder.Read("log.1").size() <= 400000);
  const absl::StatusOr<std::vector<LogLine>> lines = Tail(folder.File("log"), {1000000, 1 << 30});
  REQUIRE(lines.ok());
  std::string logged;
  for (const LogLine& line : *lines) logged += line.text;
  CHECK(logged == said);
}

TEST_CASE("signals do not end the logger while the container's pipes are open", "[log]") {
  const TempFolder folder;
  Logger logger({"file", folder.File("log")});
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE})
    REQUIRE(kill(logger.pid(), number) == 0);
  logger.Say("still here\n");
  CHECK(logger.WaitForExit() == 0);
  CHECK(absl::StrContains(folder.Read("log"), "still here"));
}

TEST_CASE("a logger that is killed goes on, and its container is not harmed", "[log]") {
  const TempFolder folder;
  Logger logger({"file", folder.File("log")});
  logger.Say("before\n");
  logger.WaitUntilRead();
  for (int round = 1; round <= 3; ++round) {
    Logger::Kill(Logger::WriterOf(logger.pid()));
    logger.Say(absl::StrCat("after ", round, "\n"));  // a pipe without a reader would fail
    logger.WaitUntilRead();
  }
  CHECK(logger.WaitForExit() == 0);
  const std::string log = folder.Read("log");
  CHECK(absl::StrContains(log, "after 1"));
  CHECK(absl::StrContains(log, "after 3"));
  CHECK(absl::StrContains(log, "davit-logger: killed, and started again"));
  const absl::StatusOr<LogHealth> health = ReadLogHealth(folder.File("log"));
  REQUIRE(health.ok());
  CHECK(health->state.killed_writers == 3);
  CHECK_FALSE(health->has_logger);  // it has ended
}

TEST_CASE("a logger whose keeper is killed gets another one, and loses nothing", "[log]") {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // the keeper's orphan becomes our child
  const TempFolder folder;
  Logger logger({"file", folder.File("log")});
  logger.Say("half a ");
  logger.WaitUntilRead();
  const int first_writer = Logger::WriterOf(logger.pid());
  Logger::Kill(logger.pid());
  logger.Say("line\n");
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!absl::StrContains(folder.Read("log"), "half a line") && absl::Now() < deadline)
    sched_yield();
  // The writer has become the keeper of another one; that one may be killed, too.
  Logger::Kill(Logger::WriterOf(first_writer));
  logger.Say("the end\n");
  logger.WaitUntilRead();
  CHECK(ReadLogHealth(folder.File("log"))->has_logger);
  CHECK(logger.WaitForExit() == -1);
  int status = 0;
  REQUIRE(waitpid(first_writer, &status, 0) == first_writer);
  CHECK(status == 0);
  CHECK(absl::StrContains(folder.Read("log"), "half a line"));
  CHECK(absl::StrContains(folder.Read("log"), "the end"));
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_CASE("what a log has lost is told beside it", "[log]") {
  const TempFolder folder;
  const std::string path = folder.File("log");
  REQUIRE(symlink("/dev/full", path.c_str()) == 0);
  {
    Logger logger({"file", path});
    logger.Say("one\ntwo\n");
    CHECK(logger.WaitForExit() == 0);
  }
  const absl::StatusOr<LogHealth> health = ReadLogHealth(path);
  REQUIRE(health.ok());
  CHECK(health->state.lost_records == 2);
  CHECK(DescribeTrouble(*health) == absl::StrCat("2 lines (", health->state.lost_bytes,
                                                 " bytes) lost: No space left on device"));
  {
    Logger next_life({"file", path});
    next_life.Say("three\n");
    CHECK(next_life.WaitForExit() == 0);
  }
  CHECK(ReadLogHealth(path)->state.lost_records == 3);
}

TEST_CASE("a log that is not there, and one that is well", "[log]") {
  const TempFolder folder;
  CHECK(absl::IsNotFound(ReadLogHealth(folder.File("log")).status()));
  Logger logger({"file", folder.File("log")});
  const absl::StatusOr<LogHealth> health = ReadLogHealth(folder.File("log"));
  REQUIRE(health.ok());
  CHECK(health->has_logger);
  CHECK(DescribeTrouble(*health).empty());
}

TEST_CASE("a container is not blocked by a full disk", "[log]") {
  Logger logger({"file", "/dev/full"});
  logger.Say(std::string(1 << 20, 'x'));  // more than any pipe holds
  CHECK(logger.WaitForExit() == 0);
}

TEST_CASE("a container runs without a log when the path is wrong", "[log]") {
  const TempFolder folder;
  Logger logger({"file", folder.File("missing/log"), "unknown", "x", "odd"});
  logger.Say(std::string(1 << 20, 'x'));
  CHECK(logger.WaitForExit() == 0);
}

TEST_CASE("lost records are reported when there is space again", "[log]") {
  const TempFolder folder;
  Logger logger({"file", folder.File("later/log")});
  logger.Say("one\ntwo\n");
  logger.WaitUntilRead();
  // When this line has been read, the first two lines are certainly lost.
  logger.Say("three\n");
  logger.WaitUntilRead();
  REQUIRE(MakeDirectories(folder.File("later")) == absl::OkStatus());
  CHECK(logger.WaitForExit() == 0);
  const absl::StatusOr<std::vector<LogLine>> lines = Tail(folder.File("later/log"), {});
  REQUIRE(lines.ok());
  REQUIRE_FALSE(lines->empty());
  CHECK(lines->front().stream == "stderr");
  CHECK(absl::StartsWith(lines->front().text, "davit-logger: "));
  CHECK(absl::StrContains(lines->front().text, "No such file or directory"));
}

TEST_CASE("the logger prints its version", "[log]") {
  Logger logger({"--version"});
  CHECK(logger.WaitForExit() == 0);
}

}  // namespace
}  // namespace davit::log
