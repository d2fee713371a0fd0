#include "base/subprocess.h"

#include <signal.h>

#include <catch2/catch.hpp>

#include "base/file.h"
#include "tests/support/scratch_folder.h"

namespace davit {
namespace {

absl::StatusOr<CommandResult> Shell(const std::string& script, const std::string& input = "",
                                    absl::Duration timeout = absl::Seconds(30)) {
  return RunCommand({{"/bin/sh", "-c", script}, {{"PATH", "/usr/bin:/bin"}}, input, timeout});
}

TEST_CASE("a program's outputs and exit code are its result", "[subprocess]") {
  const auto result = Shell("echo out; echo err >&2; exit 7");
  REQUIRE(result.ok());
  CHECK(result->exit_code == 7);
  CHECK(result->output == "out\n");
  CHECK(result->error_output == "err\n");
}

TEST_CASE("input larger than a pipe is written while output is read", "[subprocess]") {
  const std::string input(1 << 20, 'x');
  const auto result = Shell("cat", input);
  REQUIRE(result.ok());
  CHECK(result->output == input);
}

TEST_CASE("a program that does not read its input does no harm", "[subprocess]") {
  // Fails with the default action of SIGPIPE, which this process has.
  const auto result = Shell("exec <&-; echo done", std::string(1 << 20, 'x'));
  REQUIRE(result.ok());
  CHECK(result->output == "done\n");
}

TEST_CASE("a program sees the given environment and nothing else", "[subprocess]") {
  setenv("DAVIT_SECRET", "x", 1);
  const auto result =
      RunCommand({{"/usr/bin/env"}, {{"A", "1"}, {"B", "two words"}}, "", absl::Seconds(30)});
  REQUIRE(result.ok());
  CHECK(result->output == "A=1\nB=two words\n");
}

TEST_CASE("a program killed by a signal has exit code 128 plus its number", "[subprocess]") {
  const auto result = Shell("kill -TERM $$");
  REQUIRE(result.ok());
  CHECK(result->exit_code == 128 + SIGTERM);
}

TEST_CASE("a missing program is NotFound and named", "[subprocess]") {
  const auto result = RunCommand({{"/no/such/program"}, {}, "", absl::Seconds(30)});
  CHECK(absl::IsNotFound(result.status()));
  CHECK_THAT(std::string(result.status().message()), Catch::Contains("/no/such/program"));
}

TEST_CASE("a file that is not a program is refused", "[subprocess]") {
  const test::ScratchFolder folder;
  REQUIRE(WriteFileAtomically(folder.File("text"), "x", 0644).ok());
  CHECK(absl::IsPermissionDenied(
      RunCommand({{folder.File("text")}, {}, "", absl::Seconds(30)}).status()));
  CHECK(absl::IsInvalidArgument(RunCommand({}).status()));
}

TEST_CASE("a program that takes too long is killed with its children", "[subprocess]") {
  const test::ScratchFolder folder;
  // The child holds the lock for as long as it lives.
  const auto result =
      Shell("flock " + folder.File("lock") + " sh -c 'echo locked; sleep 1000; true'; true", "",
            absl::Milliseconds(300));
  REQUIRE(absl::IsDeadlineExceeded(result.status()));
  CHECK_THAT(std::string(result.status().message()),
             Catch::Contains("/bin/sh") && Catch::Contains("300ms"));
  CHECK(Shell("flock " + folder.File("lock") + " true")->exit_code ==
        0);  // waits until the child is gone
}

TEST_CASE("a program that closes its outputs and keeps running is killed in time", "[subprocess]") {
  CHECK(absl::IsDeadlineExceeded(
      Shell("exec >&- 2>&-; sleep 1000", "", absl::Milliseconds(100)).status()));
}

TEST_CASE("a program that closes its outputs before it ends has its own exit code",
          "[subprocess]") {
  const auto result = Shell("exec >&- 2>&-; sleep 0.01; exit 9");
  REQUIRE(result.ok());
  CHECK(result->exit_code == 9);
}

TEST_CASE("signals that this process blocks are not blocked in the program", "[subprocess]") {
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  const auto result = Shell("grep SigBlk /proc/self/status");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  REQUIRE(result.ok());
  CHECK_THAT(result->output, Catch::Contains("0000000000000000"));
}

}  // namespace
}  // namespace davit
