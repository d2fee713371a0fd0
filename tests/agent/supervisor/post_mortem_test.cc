// Reports about containers that have ended, on a host in memory.

#include "agent/supervisor/post_mortem.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "agent/log/json_line.h"
#include "agent/log/logger_state.h"
#include "tests/support/fake_host.h"
#include "tests/support/scratch_folder.h"

namespace davit::supervisor {
namespace {

using test::ContainerId;
using test::FakeHost;
using test::MakeAssignment;
using Lines = std::vector<std::string>;
using Verb = runtime::FakeRuntime::Verb;

constexpr char kTaskId[] = "00000000000000000000000000000001";

// A secret that is on the host.
class OneSecret final : public secret::SecretSource {
 public:
  absl::StatusOr<std::string> Get(const secret::SecretReference&) const override {
    return "correct-horse";
  }
};

// davit-logger rewrites the container's log with this text.
void WriteLog(const FakeHost& host, const std::string& text) {
  std::string json;
  log::LineSplitter splitter;
  const auto add = [&json](std::string_view line) {
    log::AppendJsonLine(line, "stdout", log::Rfc3339Nano(1, 0), &json);
  };
  splitter.Feed(text, add);
  splitter.Finish(add);
  REQUIRE(WriteFileAtomically(host.files().LogFile(kTaskId, "web"), json).ok());
}

v1::Assignment Run(FakeHost* host, v1::Assignment assignment = MakeAssignment(1)) {
  host->StartAgent();
  host->supervisor->Assign(assignment);
  host->Pass(absl::Seconds(1));
  REQUIRE(host->StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
  return assignment;
}

v1::Assignment WithSecret() {
  v1::Assignment assignment = MakeAssignment(1);
  v1::Secret* secret =
      assignment.mutable_task_definition()->mutable_container_definitions(0)->add_secrets();
  secret->set_name("PASSWORD");
  secret->set_value_from("/db");
  return assignment;
}

std::string ReasonOf(FakeHost* host, const v1::Assignment& assignment) {
  return host->StateOf(assignment.task_arn()).containers(0).reason();
}

TEST_CASE("reported lines contain no secrets", "[post_mortem]") {
  CHECK(TellableLines("pw=hunter2, hunter22\n", {"hunter2", "hunter22", ""}, 5) ==
        Lines{"pw=[secret], [secret]"});
  const std::string key = "-----BEGIN KEY-----\nAbCdEf\n}\n-----END KEY-----\n";
  CHECK(TellableLines("key: " + key + "done", {key}, 5) == Lines{"key: [secret]done"});
  // Another program's lines came between.
  CHECK(TellableLines("AbCdEf\nother\n-----END KEY-----\n", {key}, 5) ==
        Lines{"[secret]", "other", "[secret]"});
}

TEST_CASE("reported lines contain no terminal control sequences", "[post_mortem]") {
  CHECK(TellableLines("\x1b[1;31mred\x1b[0m\ttab\r\n\n \x07\nutf \xc2\x9b bad \xff\n", {}, 5) ==
        Lines{"red tab", "utf   bad \uFFFD"});
  CHECK(TellableLines("cut \x1b[1;3", {}, 5) == Lines{"cut"});
  CHECK(TellableLines("\x1b", {}, 5).empty());
}

TEST_CASE("the last lines are reported, each with a bounded length", "[post_mortem]") {
  CHECK(TellableLines("a\nb\nc", {}, 2) == Lines{"b", "c"});
  CHECK(TellableLines(std::string(50000, 'x'), {}, 2)[0].size() == 1024);
}

TEST_CASE("a failed container's reason has its exit code and last output", "[post_mortem]") {
  FakeHost host;
  host.post_mortem.log_lines = 2;
  const v1::Assignment assignment = Run(&host);
  WriteLog(host, "one\ntwo\nthree\n");
  host.runtime.FailNext(Verb::kRemove, absl::UnavailableError("busy"));
  host.runtime.Exit(ContainerId(assignment), 3);
  host.Pass(absl::Milliseconds(100));
  REQUIRE(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::DEPROVISIONING);
  CHECK(ReasonOf(&host, assignment) == "exit code 3; last output: two | three");
  WriteLog(host, "one\ntwo\nthree\nfour");  // the logger was behind
  host.Pass(absl::Seconds(10));
  const v1::TaskState state = host.StateOf(assignment.task_arn());
  REQUIRE(state.last_status() == v1::TaskStatus::STOPPED);
  CHECK(state.stopped_reason() == "Essential container in task exited");
  CHECK(ReasonOf(&host, assignment) == "exit code 3; last output: three | four");
}

TEST_CASE("output that is missing is told, whatever the container ended with", "[post_mortem]") {
  FakeHost host;
  host.post_mortem.log_lines = 1;
  const v1::Assignment assignment = Run(&host);
  WriteLog(host, "one\n");
  log::LoggerStateFile(host.files().LogFile(kTaskId, "web")).Write({2, 70, ENOSPC, 1});
  const std::string trouble =
      "log incomplete: 2 lines (70 bytes) lost: No space left on device; its logger was killed "
      "once";
  SECTION("it failed") {
    host.runtime.Exit(ContainerId(assignment), 3);
    host.Pass(absl::Seconds(1));
    CHECK(ReasonOf(&host, assignment) == "exit code 3; " + trouble + "; last output: one");
  }
  SECTION("it did not") {
    host.runtime.Exit(ContainerId(assignment), 0);
    host.Pass(absl::Seconds(1));
    CHECK(ReasonOf(&host, assignment) == trouble);
  }
}

TEST_CASE("a container runs without a log where none can be made, and that is told",
          "[post_mortem]") {
  FakeHost host;
  // A folder is in the log's place.
  REQUIRE(MakeDirectories(host.files().LogFile(kTaskId, "web") + "/x").ok());
  const v1::Assignment assignment = Run(&host);
  REQUIRE(RemoveAll(host.files().LogFile(kTaskId, "web")).ok());
  host.runtime.Exit(ContainerId(assignment), 0);
  host.Pass(absl::Seconds(1));
  CHECK(ReasonOf(&host, assignment) == "log incomplete: there is no file for it");
}

TEST_CASE("post_mortem_log_lines 0 keeps output on the host", "[post_mortem]") {
  FakeHost host;
  host.post_mortem.log_lines = 0;
  const v1::Assignment assignment = Run(&host);
  WriteLog(host, "private\n");
  host.runtime.Exit(ContainerId(assignment), 3);
  host.Pass(absl::Seconds(1));
  CHECK(ReasonOf(&host, assignment) == "exit code 3");
  CHECK_FALSE(host.store.Load()->tasks[0].ShortDebugString().find("private") != std::string::npos);
}

TEST_CASE("an out-of-memory reason names the limit that was reached", "[post_mortem]") {
  FakeHost host;
  const test::ScratchFolder folder;
  host.post_mortem.kernel_log = folder.File("kmsg");
  REQUIRE(
      WriteFileAtomically(
          host.post_mortem.kernel_log,
          absl::StrCat("6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=",
                       host.cgroups.ContainerPath(kTaskId, "web"), ",task=stress,pid=4711,uid=0\n"))
          .ok());
  const v1::Assignment assignment = Run(&host);
  resource::CgroupUsage usage;
  usage.memory_limit_bytes = 64 << 20;
  std::string expected;
  SECTION("the container's") {
    usage.memory_peak_bytes = (64 << 20) - 8192;
    expected = "limit 64 MiB, peak 64 MiB";
  }
  SECTION("the task's") {
    usage.memory_peak_bytes = 40 << 20;
    expected = "limit of the task 100 MiB, peak 100 MiB";
  }
  resource::CgroupUsage all;
  all.memory_limit_bytes = all.memory_peak_bytes = 100 << 20;
  usage.oom_kills = 1;
  usage.cpu_time = absl::Milliseconds(250);
  host.cgroups.SimulateContainerCgroup(kTaskId, "web");
  host.cgroups.SimulateUsage(host.cgroups.ContainerPath(kTaskId, "web"), usage);
  host.cgroups.SimulateUsage(host.cgroups.TaskPath(kTaskId), all);
  host.runtime.RunOutOfMemory(ContainerId(assignment));
  host.Pass(absl::Seconds(1));
  REQUIRE(host.cgroups.List()->empty());
  CHECK(ReasonOf(&host, assignment) ==
        absl::StrCat("OutOfMemoryError: Container killed due to memory usage: ", expected,
                     ", killed process 4711 (stress)"));
  const v1::PostMortemRecord kept = host.store.Load()->tasks[0].containers(0).post_mortem();
  CHECK(kept.oom_kills() == 1);
  CHECK(kept.cpu_nanoseconds() == 250'000'000);
}

TEST_CASE("post-mortems survive the agent, and the next agent examines ends that it missed",
          "[post_mortem]") {
  FakeHost host;
  const v1::Assignment assignment = Run(&host);
  WriteLog(host, "last words\n");
  const std::string expected = "exit code 3; last output: last words";
  SECTION("ended before the restart") {
    host.runtime.Exit(ContainerId(assignment), 3);
    host.Pass(absl::Seconds(1));
    host.StopAgent();
    WriteLog(host, "what has become of the log since does not matter\n");
  }
  SECTION("ended without an agent") {
    host.StopAgent();
    host.runtime.Exit(ContainerId(assignment), 3);
  }
  host.sink.latest.clear();
  host.StartAgent();
  host.supervisor->ReportAll();
  host.Pass(absl::Seconds(1));
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  CHECK(ReasonOf(&host, assignment) == expected);
}

TEST_CASE("a container's reported output contains none of its secrets", "[post_mortem]") {
  FakeHost host;
  const OneSecret source;
  const secret::AwsClient no_aws(secret::AwsOptions{});
  const secret::ValueResolver values(&no_aws, {&source});
  host.values = &values;
  const v1::Assignment assignment = Run(&host, WithSecret());
  WriteLog(host, "login failed for correct-horse\n");
  SECTION("the agent that made the container knows them") {
    host.runtime.Exit(ContainerId(assignment), 3);
    host.Pass(absl::Seconds(1));
    CHECK(ReasonOf(&host, assignment) == "exit code 3; last output: login failed for [secret]");
  }
  SECTION("one that was restarted does not, and tells nothing of the output") {
    host.StopAgent();
    host.StartAgent();
    host.Pass(absl::Seconds(1));
    host.runtime.Exit(ContainerId(assignment), 3);
    host.Pass(absl::Seconds(1));
    CHECK(ReasonOf(&host, assignment) == "exit code 3");
  }
  CHECK(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::STOPPED);
  CHECK(host.store.Load()->tasks[0].ShortDebugString().find("correct-horse") == std::string::npos);
}

}  // namespace
}  // namespace davit::supervisor
