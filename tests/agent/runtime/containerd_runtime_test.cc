// What only the real runtime shows.

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "agent/containerd/containers.h"
#include "agent/containerd/tasks.h"
#include "agent/runtime/forgotten_shim.h"
#include "base/file.h"
#include "tests/agent/runtime/containerd_world.h"

namespace davit::test {
namespace {

using runtime::ContainerdRuntimeOptions;
using runtime::ContainerSpec;
using runtime::ContainerState;
using Kind = runtime::RuntimeEvent::Kind;
using Code = absl::StatusCode;

constexpr char kLease[] = "davit-t1";

struct Fixture {
  explicit Fixture(const ContainerdRuntimeOptions& options = {},
                   absl::Duration event_silence = absl::Seconds(15))
      : world(std::make_unique<ContainerdWorld>(options, event_silence)),
        runtime(world->runtime()) {
    runtime->Watch(log.Sink());
    REQUIRE(log.Next(Kind::kConnected).has_value());
    REQUIRE(runtime->CreateLease(kLease, {}).ok());
  }
  void Create(const ContainerSpec& spec) {
    REQUIRE(runtime->PrepareRootfs(spec.id, kLease, world->chain_id()).status() ==
            absl::OkStatus());
    REQUIRE(runtime->Create(spec) == absl::OkStatus());
  }
  void Start(const ContainerSpec& spec) {
    Create(spec);
    REQUIRE(runtime->Start(spec.id).status() == absl::OkStatus());
  }

  EventLog log;  // outlives the runtime, which writes to it
  std::unique_ptr<ContainerdWorld> world;
  runtime::Runtime* runtime;
};

TEST_CASE_METHOD(Fixture, "files are read from a container's rootfs without mounting it",
                 "[containerd]") {
  const auto rootfs = runtime->PrepareRootfs("c1", kLease, world->chain_id());
  REQUIRE(rootfs.status() == absl::OkStatus());
  CHECK(rootfs->layers.size() == 2);
  CHECK(ReadFromRootfs(*rootfs, "/etc/passwd").value() == "root:x:0:0:root:/:/bin/sh\n");
  CHECK(ReadFromRootfs(*rootfs, "/etc/account").value() == "root:x:0:0:root:/:/bin/sh\n");
  CHECK(ReadFromRootfs(*rootfs, "/etc/group").status().code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "what a containerd that was killed in a creation left is cleared away",
                 "[containerd]") {
  const ContainerSpec spec = world->Spec("c1", Program::kExitWith7);
  REQUIRE(runtime->PrepareRootfs(spec.id, kLease, world->chain_id()).ok());
  const std::string bundle =
      absl::StrCat(world->server().folder(), "/state/io.containerd.runtime.v2.task/",
                   world->server().containerd_namespace(), "/", spec.id);
  REQUIRE(MakeDirectories(bundle + "/rootfs").ok());
  CHECK(runtime->Create(spec).code() == Code::kUnavailable);
  Start(spec);
  CHECK(log.Next(Kind::kExited, spec.id)->exit_code == 7);
}

TEST_CASE("only a bundle of that container, in containerd's own words, is one to clear away",
          "[containerd]") {
  const runtime::ShimIdentity shim{"/run/c.sock", "davit", "c1"};
  const std::string bundle = "/run/c/io.containerd.runtime.v2.task/davit/c1";
  const auto find = [&shim](const std::string& words) {
    return runtime::FindForgottenBundle(words, shim);
  };
  CHECK(find("failed to start shim: mkdir " + bundle + ": file exists: unknown") == bundle);
  CHECK(find("failed to start shim: mkdir " + bundle + "2: file exists").empty());
  CHECK(find("mkdir /run/c/io.containerd.runtime.v2.task/other/c1: file exists").empty());
  CHECK(find("mkdir /etc: file exists").empty());
  CHECK(find("mkdir " + bundle + ": permission denied").empty());
  CHECK(find("").empty());
}

TEST_CASE_METHOD(Fixture, "a rootfs that lost its folder is made anew", "[containerd]") {
  const ContainerSpec spec = world->Spec("c1", Program::kExitWith7);
  const bool is_seen_late = GENERATE(false, true);
  const auto rootfs = runtime->PrepareRootfs(spec.id, kLease, world->chain_id());
  REQUIRE(rootfs.status() == absl::OkStatus());
  REQUIRE(RemoveAll(rootfs->layers.front()).ok());
  if (is_seen_late) CHECK(runtime->Create(spec).code() == Code::kUnavailable);
  CHECK(runtime->PrepareRootfs(spec.id, kLease, world->chain_id()).status().code() ==
        Code::kUnavailable);
  Start(spec);
  CHECK(log.Next(Kind::kExited, spec.id)->exit_code == 7);
}

TEST_CASE_METHOD(Fixture, "a program that is not in the image is refused in runc's words",
                 "[containerd]") {
  REQUIRE(runtime->PrepareRootfs("c1", kLease, world->chain_id()).ok());
  const absl::Status status = runtime->Create(world->SpecOf("c1", {"/bin/absent"}));
  CHECK(status.code() == Code::kFailedPrecondition);
  CHECK_THAT(std::string(status.message()), Catch::StartsWith("CannotStartContainerError: ") &&
                                                Catch::Contains("no such file or directory"));
  // Nothing of the attempt is in the way of another.
  CHECK(runtime->Inspect("c1")->state == ContainerState::kAbsent);
  CHECK(runtime->Create(world->SpecOf("c1", {"/bin/sh", "-c", "exit 0"})) == absl::OkStatus());
}

TEST_CASE_METHOD(Fixture, "a command that cannot be run is told from a container that runc refuses",
                 "[containerd]") {
  // Not in the PATH; a folder; not executable; below a file.
  for (const char* command : {"absent", "/bin", "/etc/passwd", "/etc/passwd/x"}) {
    CAPTURE(command);
    REQUIRE(runtime->PrepareRootfs("c1", kLease, world->chain_id()).ok());
    const absl::Status status = runtime->Create(world->SpecOf("c1", {command}));
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK_THAT(std::string(status.message()), Catch::StartsWith("CannotStartContainerError: "));
  }
  ContainerSpec spec = world->SpecOf("c1", {"/bin/sh"});
  nlohmann::json json = nlohmann::json::parse(spec.oci_spec_json);
  json["mounts"].push_back(
      {{"destination", "/x"}, {"type", "bind"}, {"source", "/absent"}, {"options", {"bind"}}});
  spec.oci_spec_json = json.dump();
  const absl::Status status = runtime->Create(spec);
  CHECK(status.code() == Code::kFailedPrecondition);
  CHECK_THAT(std::string(status.message()), Catch::StartsWith("creating container c1: "));
}

TEST_CASE_METHOD(Fixture, "output goes to the program of a binary log uri", "[containerd]") {
  // containerd's protocol: output on 3, errors on 4, "ready" by closing 5.
  const std::string logger = world->server().folder() + "/logger";
  const std::string output = world->server().folder() + "/output";
  REQUIRE(WriteFileAtomically(logger, "#!/bin/sh\nexec 5>&-\nexec cat <&3 >\"$2\"\n", 0755).ok());
  ContainerSpec spec = world->SpecOf("c1", {"/bin/sh", "-c", "echo said"});
  spec.log_uri = "binary://" + logger + "?path=" + output;
  Start(spec);
  REQUIRE(log.Next(Kind::kExited, "c1").has_value());
  REQUIRE(runtime->Remove("c1") == absl::OkStatus());  // waits for the logger
  CHECK(ReadFile(output).value() == "said\n");
}

// What a container's process has as its standard input: "pipe:[123]", "/dev/null".
std::string StandardInputOf(int pid) {
  return std::filesystem::read_symlink(absl::StrCat("/proc/", pid, "/fd/0")).string();
}

TEST_CASE("an open standard input is a pipe of the container's own, in each of its lives",
          "[containerd]") {
  ContainerdRuntimeOptions options;
  options.davit_runc = DAVIT_RUNC;
  Fixture fixture(options);
  const std::string logger = fixture.world->server().folder() + "/logger";
  REQUIRE(
      WriteFileAtomically(logger, "#!/bin/sh\nexec 5>&-\nexec cat <&3 >/dev/null\n", 0755).ok());
  ContainerSpec spec = fixture.world->SpecOf("c1", {"/bin/sh", "-c", "read line; exit 5"});
  spec.log_uri = "binary://" + logger;
  spec.open_stdin = true;
  fixture.Create(spec);
  for (int life = 0; life < 2; ++life) {
    REQUIRE(fixture.runtime->Create(spec) == absl::OkStatus());
    const absl::StatusOr<int> pid = fixture.runtime->Start("c1");
    REQUIRE(pid.status() == absl::OkStatus());
    CHECK_THAT(StandardInputOf(*pid), Catch::StartsWith("pipe:"));
    // Commands beside it have nothing to wait for, and it waits still when they have ended.
    const auto command =
        fixture.runtime->Exec({.container_id = "c1",
                               .exec_id = "look",
                               .arguments = {"/bin/sh", "-c", "read line; exit 4"}});
    REQUIRE(command.status() == absl::OkStatus());
    CHECK(command->exit_code == 4);
    CHECK(fixture.runtime->Inspect("c1")->state == ContainerState::kRunning);
    REQUIRE(fixture.runtime->Signal("c1", SIGKILL, false) == absl::OkStatus());
    CHECK(fixture.log.Next(Kind::kExited, "c1")->exit_code == 137);
    REQUIRE(fixture.runtime->Reset("c1") == absl::OkStatus());
  }
  const ContainerSpec closed = fixture.world->SpecOf("c2", {"/bin/sh", "-c", "read line; exit 5"});
  fixture.Start(closed);
  CHECK(fixture.log.Next(Kind::kExited, "c2")->exit_code == 5);
}

TEST_CASE("an open standard input needs davit-runc, and a runtime that calls it", "[containerd]") {
  ContainerdRuntimeOptions options;
  options.davit_runc = "/absent/davit-runc";
  std::string expected = "/absent/davit-runc";
  SECTION("it is not installed") {}
  SECTION("another runtime") {
    options.runtime = "io.containerd.kata.v2";
    expected = "needs runtime io.containerd.runc.v2, and this host has io.containerd.kata.v2";
  }
  Fixture fixture(options);
  ContainerSpec spec = fixture.world->SpecOf("c1", {"/bin/sh"});
  spec.open_stdin = true;
  REQUIRE(fixture.runtime->PrepareRootfs("c1", kLease, fixture.world->chain_id()).ok());
  const absl::Status status = fixture.runtime->Create(spec);
  CHECK(status.code() == Code::kFailedPrecondition);
  CHECK_THAT(std::string(status.message()), Catch::Contains(expected));
}

TEST_CASE("a runtime that is not installed is refused, not tried again", "[containerd]") {
  ContainerdRuntimeOptions options;
  options.runtime = "io.containerd.absent.v2";
  Fixture fixture(options);
  REQUIRE(fixture.runtime->PrepareRootfs("c1", kLease, fixture.world->chain_id()).ok());
  CHECK(fixture.runtime->Create(fixture.world->Spec("c1", Program::kExitWith0)).code() ==
        Code::kFailedPrecondition);
}

TEST_CASE("a creation that did not end in time is undone by removal", "[containerd]") {
  ContainerdRuntimeOptions options;
  options.create_timeout = absl::Seconds(1);
  Fixture fixture(options);
  const std::string logger = fixture.world->server().folder() + "/logger";
  REQUIRE(WriteFileAtomically(logger, "#!/bin/sh\nexec sleep 30\n", 0755).ok());  // never ready
  ContainerSpec spec = fixture.world->Spec("c1", Program::kExitWith7);
  spec.log_uri = "binary://" + logger;
  REQUIRE(fixture.runtime->PrepareRootfs("c1", kLease, fixture.world->chain_id()).ok());
  CHECK(fixture.runtime->Create(spec).code() == Code::kUnavailable);
  // While the logger hangs the shim does, and containerd has forgotten both.
  CHECK(fixture.runtime->Create(spec).code() == Code::kUnavailable);
  REQUIRE(fixture.runtime->Remove("c1") == absl::OkStatus());
  CHECK(fixture.world->server().ShimPids("c1").empty());
  REQUIRE(fixture.runtime->PrepareRootfs("c1", kLease, fixture.world->chain_id()).ok());
  const ContainerSpec second = fixture.world->Spec("c1", Program::kExitWith7);
  absl::Status status = fixture.runtime->Create(second);
  while (absl::IsUnavailable(status)) status = fixture.runtime->Create(second);  // cleans up still
  REQUIRE(status == absl::OkStatus());
  REQUIRE(fixture.runtime->Start("c1").ok());
  CHECK(fixture.log.Next(Kind::kExited, "c1")->exit_code == 7);
}

TEST_CASE_METHOD(Fixture, "a task whose record was deleted is listed and removed all the same",
                 "[containerd]") {
  Start(world->Spec("c1", Program::kRunUntilTerm));
  containerd::Containers containers(&world->client());
  REQUIRE(containers.Delete("c1") == absl::OkStatus());
  CHECK(log.Next(Kind::kRemoved, "c1").has_value());
  const auto list = runtime->List();
  REQUIRE(list.ok());
  REQUIRE(list->size() == 1);
  CHECK(list->front().state == ContainerState::kRunning);
  REQUIRE(runtime->Remove("c1") == absl::OkStatus());
  CHECK(runtime->List()->empty());
  CHECK(world->server().ShimPids("c1").empty());
}

TEST_CASE_METHOD(Fixture, "the end of an exec'd or child process is not the container's",
                 "[containerd]") {
  Start(world->SpecOf("c1", {"/bin/sh", "-c", "(exit 3); (exit 4); exit 5"}));
  const auto exited = log.Next(Kind::kExited, "c1");
  REQUIRE(exited.has_value());
  CHECK(exited->exit_code == 5);
  CHECK(log.Count(Kind::kExited, "c1") == 1);
}

TEST_CASE("a shim that hangs is Unavailable, and harms its own container only", "[containerd]") {
  ContainerdRuntimeOptions options;
  options.call_timeout = absl::Seconds(1);
  Fixture fixture(options);
  fixture.Start(fixture.world->Spec("hangs", Program::kRunUntilTerm));
  fixture.Start(fixture.world->Spec("works", Program::kRunUntilTerm));
  const std::vector<pid_t> shims = fixture.world->server().ShimPids("hangs");
  REQUIRE(shims.size() == 1);
  REQUIRE(kill(shims[0], SIGSTOP) == 0);
  CHECK(fixture.runtime->Inspect("hangs").status().code() == Code::kUnavailable);
  CHECK(fixture.runtime->Signal("hangs", SIGTERM, false).code() == Code::kUnavailable);
  CHECK(fixture.runtime->Remove("hangs").code() == Code::kUnavailable);
  CHECK(fixture.runtime->Inspect("works")->state == ContainerState::kRunning);
  const auto list = fixture.runtime->List();
  REQUIRE(list.status() == absl::OkStatus());
  REQUIRE(list->size() == 2);
  for (const auto& info : *list) {
    CHECK(info.state == (info.id == "hangs" ? ContainerState::kUnknown : ContainerState::kRunning));
  }
  CHECK(fixture.runtime->Remove("works") == absl::OkStatus());
  REQUIRE(kill(shims[0], SIGCONT) == 0);
  CHECK(fixture.runtime->Remove("hangs") == absl::OkStatus());
}

TEST_CASE("a containerd that hangs is told as disconnected, then as connected", "[containerd]") {
  ContainerdRuntimeOptions options;
  options.call_timeout = absl::Seconds(1);
  Fixture fixture(options, /*event_silence=*/absl::Seconds(1));
  REQUIRE(kill(fixture.world->server().pid(), SIGSTOP) == 0);
  CHECK(fixture.log.Next(Kind::kDisconnected).has_value());
  CHECK(fixture.runtime->Version().status().code() == Code::kUnavailable);
  REQUIRE(kill(fixture.world->server().pid(), SIGCONT) == 0);
  CHECK(fixture.log.Next(Kind::kConnected).has_value());
}

TEST_CASE_METHOD(Fixture, "the version names containerd", "[containerd]") {
  CHECK_THAT(runtime->Version().value(), Catch::StartsWith("containerd "));
}

// Arguments of the processes in the container's cgroup.
std::vector<std::string> CommandLines(const std::string& cgroup) {
  std::vector<std::string> lines;
  const auto pids = ReadFile("/sys/fs/cgroup/pids" + cgroup + "/cgroup.procs");
  for (const absl::string_view pid : absl::StrSplit(pids.value_or(""), '\n', absl::SkipEmpty())) {
    lines.push_back(ReadFile(absl::StrCat("/proc/", pid, "/cmdline")).value_or(""));
  }
  return lines;
}

// Of this process: numbers of open files and of threads.
std::pair<ptrdiff_t, ptrdiff_t> OpenFilesAndThreads() {
  using Folder = std::filesystem::directory_iterator;
  return {std::distance(Folder("/proc/self/fd"), Folder()),
          std::distance(Folder("/proc/self/task"), Folder())};
}

TEST_CASE_METHOD(Fixture, "a command has its container's user, environment and folder",
                 "[containerd]") {
  ContainerSpec spec = world->SpecOf("c1", {"/bin/sh", "-c", "sleep 100000"});
  auto oci = nlohmann::json::parse(spec.oci_spec_json);
  oci["process"]["user"] = {{"uid", 1234}, {"gid", 5678}, {"additionalGids", {42}}};
  oci["process"]["env"] = {"PATH=/bin", "COLOUR=blue"};
  oci["process"]["cwd"] = "/proc";
  oci["process"]["noNewPrivileges"] = true;
  oci["process"]["capabilities"]["bounding"] = {"CAP_KILL"};
  oci["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 77}, {"hard", 77}}};
  spec.oci_spec_json = oci.dump();
  Start(spec);
  const std::string script =
      "id -u; id -g; echo $COLOUR; pwd; ulimit -n; grep -E 'NoNewPrivs|CapBnd|Groups' self/status";
  const auto result = runtime->Exec({"c1", "check", {"/bin/sh", "-c", script}});
  REQUIRE(result.status() == absl::OkStatus());
  CHECK(result->output ==
        "1234\n5678\nblue\n/proc\n77\nGroups:\t42 \nCapBnd:\t0000000000000020\n"
        "NoNewPrivs:\t1\n");
}

TEST_CASE_METHOD(Fixture, "commands leave no process, pipe, open file or thread", "[containerd]") {
  Start(world->Spec("c1", Program::kRunUntilTerm));
  REQUIRE(runtime->Exec(world->Exec("c1", Command::kSayTenDigits)).ok());
  const auto before = OpenFilesAndThreads();
  const size_t processes = CommandLines(world->server().cgroup_parent() + "/c1").size();
  for (int i = 0; i < 5; ++i) {
    CHECK(runtime->Exec(world->Exec("c1", Command::kSayTenDigits)).ok());
    runtime::ExecSpec endless = world->Exec("c1", Command::kRunForever);
    endless.timeout = absl::Seconds(1);
    CHECK(runtime->Exec(endless).status().code() == Code::kDeadlineExceeded);
    CHECK_FALSE(runtime->Exec(world->Exec("c1", Command::kAbsentProgram)).ok());
  }
  CHECK(OpenFilesAndThreads() == before);
  CHECK(std::filesystem::is_empty(world->server().folder() + "/exec"));
  // Killed ones are reaped by the container's init, in its own time.
  size_t left = processes + 1;
  for (int i = 0; i < 1500 && left > processes; ++i) {  // at most 30 s
    left = CommandLines(world->server().cgroup_parent() + "/c1").size();
    absl::SleepFor(absl::Milliseconds(20));
  }
  CHECK(left == processes);
  containerd::Tasks tasks(&world->client());
  CHECK(tasks.DeleteExec("c1", "check").code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "a command may say more than a pipe holds, and leave a child behind",
                 "[containerd]") {
  Start(world->Spec("c1", Program::kRunUntilTerm));
  const auto many =
      runtime->Exec({"c1", "check", {"/bin/sh", "-c", "yes | head -c 10000000; echo; printf end"}});
  REQUIRE(many.status() == absl::OkStatus());
  CHECK(many->output.size() == 4096);
  CHECK(absl::EndsWith(many->output, "y\n\nend"));
  const auto parent = runtime->Exec({"c1", "check", {"/bin/sh", "-c", "sleep 100003 & echo done"}});
  REQUIRE(parent.status() == absl::OkStatus());
  CHECK(parent->output == "done\n");
}

TEST_CASE_METHOD(Fixture, "a command that an agent left behind is ended by the next of its name",
                 "[containerd]") {
  Start(world->Spec("c1", Program::kRunUntilTerm));
  containerd::Tasks tasks(&world->client());
  const std::string process = R"({"cwd": "/", "args": ["/bin/sh", "-c", "sleep 100004"],
      "user": {}})";
  REQUIRE(tasks.Exec({"c1", "check", process, "", ""}) == absl::OkStatus());
  SECTION("running") { REQUIRE(tasks.StartExec("c1", "check").status() == absl::OkStatus()); }
  SECTION("not started") {}
  const auto result = runtime->Exec(world->Exec("c1", Command::kSayTenDigits));
  REQUIRE(result.status() == absl::OkStatus());
  CHECK(result->output == "0123456789");
}

TEST_CASE("a command in a container whose shim hangs or dies is not answered", "[containerd]") {
  ContainerdRuntimeOptions options;
  options.call_timeout = absl::Seconds(1);
  Fixture fixture(options);
  fixture.Start(fixture.world->Spec("c1", Program::kRunUntilTerm));
  runtime::ExecSpec spec = fixture.world->Exec("c1", Command::kRunForever);
  const std::vector<pid_t> shims = fixture.world->server().ShimPids("c1");
  REQUIRE(shims.size() == 1);
  SECTION("hangs before") {
    kill(shims[0], SIGSTOP);
    CHECK(fixture.runtime->Exec(spec).status().code() == Code::kUnavailable);
    kill(shims[0], SIGCONT);
  }
  SECTION("dies meanwhile") {
    spec.timeout = absl::Seconds(20);
    std::thread killer([&] {
      while (CommandLines(fixture.world->server().cgroup_parent() + "/c1").size() < 4) {
        std::this_thread::yield();
      }
      kill(shims[0], SIGKILL);
    });
    const absl::Status status = fixture.runtime->Exec(spec).status();
    killer.join();
    INFO(status);
    CHECK((absl::IsUnavailable(status) || absl::IsNotFound(status)));
  }
}

}  // namespace
}  // namespace davit::test
