// The contract of every Runtime. Linked once with the fake and once with a private containerd, so
// that the fake cannot lie.

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/agent/runtime/runtime_world.h"

namespace davit::test {
namespace {

using runtime::ContainerInfo;
using runtime::ContainerSpec;
using runtime::ContainerState;
using runtime::Runtime;
using Kind = runtime::RuntimeEvent::Kind;
using Code = absl::StatusCode;

constexpr char kLease[] = "davit-t1";

// A world with one lease, and an event log that has seen the connection.
struct Fixture {
  Fixture() : world(MakeRuntimeWorld()), runtime(world->runtime()) {
    runtime->Watch(log.Sink());
    REQUIRE(log.Next(Kind::kConnected).has_value());
    REQUIRE(runtime->CreateLease(kLease, {{"davit.task", "t1"}}).ok());
  }

  void Prepare(const std::string& id) {
    const auto rootfs = runtime->PrepareRootfs(id, kLease, world->chain_id());
    REQUIRE(rootfs.status() == absl::OkStatus());
  }
  void Create(const std::string& id, Program program) {
    Prepare(id);
    REQUIRE(runtime->Create(world->Spec(id, program)) == absl::OkStatus());
  }
  int Start(const std::string& id, Program program) {
    Create(id, program);
    const absl::StatusOr<int> pid = runtime->Start(id);
    REQUIRE(pid.status() == absl::OkStatus());
    return *pid;
  }
  // Starts and waits for the end.
  void RunToEnd(const std::string& id, Program program) {
    Start(id, program);
    REQUIRE(log.Next(Kind::kExited, id).has_value());
  }
  ContainerState StateOf(const std::string& id) {
    const absl::StatusOr<ContainerInfo> info = runtime->Inspect(id);
    REQUIRE(info.status() == absl::OkStatus());
    return info->state;
  }

  EventLog log;  // outlives the runtime, which writes to it
  std::unique_ptr<RuntimeWorld> world;
  Runtime* runtime;
};

TEST_CASE_METHOD(Fixture, "a created container waits until it is started", "[runtime]") {
  Prepare("c1");
  ContainerSpec spec = world->Spec("c1", Program::kRunUntilTerm);
  spec.labels["davit.container-name"] = "web";
  REQUIRE(runtime->Create(spec) == absl::OkStatus());
  const auto created = runtime->Inspect("c1");
  REQUIRE(created.ok());
  CHECK(created->state == ContainerState::kCreated);
  CHECK(created->labels.at("davit.container-name") == "web");
  CHECK(created->pid > 0);
  const absl::StatusOr<int> pid = runtime->Start("c1");
  REQUIRE(pid.ok());
  CHECK(*pid == created->pid);
  CHECK(StateOf("c1") == ContainerState::kRunning);
}

TEST_CASE_METHOD(Fixture, "creating a container twice succeeds until it was started", "[runtime]") {
  Create("c1", Program::kRunUntilTerm);
  CHECK(runtime->Create(world->Spec("c1", Program::kRunUntilTerm)) == absl::OkStatus());
  REQUIRE(runtime->Start("c1").ok());
  CHECK(runtime->Create(world->Spec("c1", Program::kRunUntilTerm)).code() == Code::kAlreadyExists);
}

TEST_CASE_METHOD(Fixture, "a container that ended is not created again", "[runtime]") {
  RunToEnd("c1", Program::kExitWith0);
  CHECK(runtime->Create(world->Spec("c1", Program::kExitWith0)).code() == Code::kAlreadyExists);
}

TEST_CASE_METHOD(Fixture, "a container is not created before its rootfs", "[runtime]") {
  CHECK(runtime->Create(world->Spec("c1", Program::kExitWith0)).code() ==
        Code::kFailedPrecondition);
}

TEST_CASE_METHOD(Fixture, "a container is started once", "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  CHECK(runtime->Start("c1").status().code() == Code::kAlreadyExists);
  RunToEnd("c2", Program::kExitWith0);
  CHECK(runtime->Start("c2").status().code() == Code::kAlreadyExists);
}

TEST_CASE_METHOD(Fixture, "a container that was not created cannot be started", "[runtime]") {
  CHECK(runtime->Start("c1").status().code() == Code::kNotFound);
  Prepare("c1");
  CHECK(runtime->Start("c1").status().code() == Code::kNotFound);
  CHECK(runtime->Inspect("c1").status().code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "an exit code reaches the watcher and stays known", "[runtime]") {
  const auto [program, code] =
      GENERATE(table<Program, int>({{Program::kExitWith0, 0}, {Program::kExitWith7, 7}}));
  Start("c1", program);
  const auto exited = log.Next(Kind::kExited, "c1");
  REQUIRE(exited.has_value());
  CHECK(exited->exit_code == code);
  CHECK(exited->exited_at > absl::UnixEpoch());
  const auto info = runtime->Inspect("c1");
  REQUIRE(info.ok());
  CHECK(info->state == ContainerState::kStopped);
  CHECK(info->exit_code == code);
  CHECK(info->exited_at == exited->exited_at);
  CHECK(log.Count(Kind::kExited, "c1") == 1);
}

TEST_CASE_METHOD(Fixture, "a container killed by a signal has exit code 128 plus its number",
                 "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  REQUIRE(runtime->Signal("c1", SIGKILL) == absl::OkStatus());
  const auto exited = log.Next(Kind::kExited, "c1");
  REQUIRE(exited.has_value());
  CHECK(exited->exit_code == 137);
  CHECK(runtime->Inspect("c1")->exit_code == 137);
}

TEST_CASE_METHOD(Fixture, "a signal reaches the container's program", "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  // Until the shell has set its trap, it ignores the signal like every pid 1.
  while (runtime->Signal("c1", SIGTERM).ok()) {
  }
  const auto exited = log.Next(Kind::kExited, "c1");
  REQUIRE(exited.has_value());
  CHECK(exited->exit_code == 143);
}

TEST_CASE_METHOD(Fixture, "a signal to a container without a process is NotFound", "[runtime]") {
  CHECK(runtime->Signal("c1", SIGTERM).code() == Code::kNotFound);
  RunToEnd("c1", Program::kExitWith0);
  CHECK(runtime->Signal("c1", SIGTERM).code() == Code::kNotFound);
  // No process may be left. The runtime itself cannot show that.
  CHECK(runtime->Signal("c1", SIGKILL, /*all=*/true) == absl::OkStatus());
}

TEST_CASE_METHOD(Fixture, "removal kills a running container before it returns", "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  REQUIRE(runtime->Remove("c1") == absl::OkStatus());
  CHECK(runtime->Inspect("c1").status().code() == Code::kNotFound);
  const auto exited = log.Next(Kind::kExited, "c1");
  REQUIRE(exited.has_value());
  CHECK(exited->exit_code == 137);
  CHECK(log.Next(Kind::kRemoved, "c1").has_value());
}

TEST_CASE_METHOD(Fixture, "removing a missing container succeeds", "[runtime]") {
  CHECK(runtime->Remove("c1") == absl::OkStatus());
  RunToEnd("c1", Program::kExitWith7);
  CHECK(runtime->Remove("c1") == absl::OkStatus());
  CHECK(runtime->Remove("c1") == absl::OkStatus());
}

TEST_CASE_METHOD(Fixture, "removal also removes incomplete containers", "[runtime]") {
  SECTION("a rootfs without a container") { Prepare("c1"); }
  SECTION("a container that was not started") { Create("c1", Program::kRunUntilTerm); }
  REQUIRE(runtime->Remove("c1") == absl::OkStatus());
  // Nothing of it is left: not even the rootfs.
  CHECK(runtime->Create(world->Spec("c1", Program::kExitWith0)).code() ==
        Code::kFailedPrecondition);
}

TEST_CASE_METHOD(Fixture, "a name can be used again after removal", "[runtime]") {
  RunToEnd("c1", Program::kExitWith7);
  REQUIRE(runtime->Remove("c1") == absl::OkStatus());
  Start("c1", Program::kExitWith0);
  const auto exited = log.Next(Kind::kExited, "c1");
  REQUIRE(exited.has_value());
  CHECK(exited->exit_code == 0);
}

TEST_CASE_METHOD(Fixture, "a rootfs requires its image and its lease", "[runtime]") {
  CHECK(runtime->PrepareRootfs("c1", kLease, "sha256:unknown").status().code() == Code::kNotFound);
  CHECK(runtime->PrepareRootfs("c1", "no-lease", world->chain_id()).status().code() ==
        Code::kNotFound);
  const auto first = runtime->PrepareRootfs("c1", kLease, world->chain_id());
  const auto second = runtime->PrepareRootfs("c1", kLease, world->chain_id());
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(first->snapshot_key == "c1");
  CHECK(first->layers == second->layers);
}

TEST_CASE_METHOD(Fixture, "a rootfs without an image is empty", "[runtime]") {
  const auto rootfs = runtime->PrepareRootfs("c1", kLease, "");
  REQUIRE(rootfs.status() == absl::OkStatus());
  CHECK(rootfs->layers.size() <= 1);  // the fake's has no folder
  CHECK(absl::IsNotFound(runtime::ReadFromRootfs(*rootfs, "/bin/sh").status()));
  CHECK(runtime->PrepareRootfs("c1", kLease, "").ok());
  CHECK(runtime->Remove("c1").ok());
}

TEST_CASE_METHOD(Fixture, "the list has every container with its state", "[runtime]") {
  Create("c1", Program::kRunUntilTerm);
  Start("c2", Program::kRunUntilTerm);
  RunToEnd("c3", Program::kExitWith7);
  Prepare("c4");  // no container yet
  const auto list = runtime->List();
  REQUIRE(list.ok());
  REQUIRE(list->size() == 3);
  CHECK((*list)[0].state == ContainerState::kCreated);
  CHECK((*list)[1].state == ContainerState::kRunning);
  CHECK((*list)[1].pid > 0);
  CHECK((*list)[2].state == ContainerState::kStopped);
  CHECK((*list)[2].exit_code == 7);
}

TEST_CASE_METHOD(Fixture, "leases are created and removed idempotently by name", "[runtime]") {
  CHECK(runtime->CreateLease("davit-t2", {}) == absl::OkStatus());
  CHECK(runtime->CreateLease("davit-t2", {}) == absl::OkStatus());
  auto leases = runtime->ListLeases();
  REQUIRE(leases.ok());
  CHECK(std::count(leases->begin(), leases->end(), "davit-t2") == 1);
  CHECK(std::count(leases->begin(), leases->end(), kLease) == 1);
  CHECK(runtime->RemoveLease("davit-t2") == absl::OkStatus());
  CHECK(runtime->RemoveLease("davit-t2") == absl::OkStatus());
  leases = runtime->ListLeases();
  REQUIRE(leases.ok());
  CHECK(std::count(leases->begin(), leases->end(), "davit-t2") == 0);
}

TEST_CASE_METHOD(Fixture, "an unreachable runtime is Unavailable, never NotFound", "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  world->KillRuntime();
  CHECK(log.Next(Kind::kDisconnected).has_value());
  CHECK(runtime->Inspect("c1").status().code() == Code::kUnavailable);
  CHECK(runtime->List().status().code() == Code::kUnavailable);
  CHECK(runtime->Signal("c1", SIGTERM).code() == Code::kUnavailable);
  CHECK(runtime->Remove("c1").code() == Code::kUnavailable);
  CHECK(runtime->Start("c1").status().code() == Code::kUnavailable);
  CHECK(runtime->Create(world->Spec("c1", Program::kExitWith0)).code() == Code::kUnavailable);
  CHECK(runtime->PrepareRootfs("c2", kLease, world->chain_id()).status().code() ==
        Code::kUnavailable);
  CHECK(runtime->CreateLease("davit-t2", {}).code() == Code::kUnavailable);
  CHECK(runtime->ListLeases().status().code() == Code::kUnavailable);
  CHECK(runtime->Version().status().code() == Code::kUnavailable);
}

TEST_CASE_METHOD(Fixture, "containers outlive the runtime's restart", "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  const int pid = Start("c2", Program::kRunUntilTerm);
  world->KillRuntime();
  REQUIRE(log.Next(Kind::kDisconnected).has_value());
  world->KillProcess("c2", pid);
  world->RestartRuntime();
  REQUIRE(log.Next(Kind::kConnected).has_value());
  CHECK(StateOf("c1") == ContainerState::kRunning);
  const auto ended = runtime->Inspect("c2");
  REQUIRE(ended.status() == absl::OkStatus());
  CHECK(ended->state == ContainerState::kStopped);
  CHECK(ended->exit_code == 137);
  // Events flow again.
  REQUIRE(runtime->Signal("c1", SIGKILL) == absl::OkStatus());
  CHECK(log.Next(Kind::kExited, "c1").has_value());
}

TEST_CASE_METHOD(Fixture, "an out-of-memory event comes before the end of the container",
                 "[runtime]") {
  Start("c1", Program::kEatMemory);
  world->RunOutOfMemory("c1");
  CHECK(log.Next(Kind::kOutOfMemory, "c1").has_value());
}

TEST_CASE_METHOD(Fixture, "a container whose shim was killed ends with 137 and can be removed",
                 "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  world->KillShim("c1");
  const auto exited = log.Next(Kind::kExited, "c1");
  REQUIRE(exited.has_value());
  CHECK(exited->exit_code == 137);
  // The runtime has forgotten all but the record.
  CHECK(StateOf("c1") == ContainerState::kAbsent);
  CHECK(runtime->Start("c1").status().code() == Code::kFailedPrecondition);
  CHECK(runtime->Signal("c1", SIGTERM).code() == Code::kNotFound);
  CHECK(runtime->Remove("c1") == absl::OkStatus());
  CHECK(runtime->Inspect("c1").status().code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "a container may be removed the moment its shim dies", "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  world->KillShim("c1");
  CHECK(runtime->Remove("c1") == absl::OkStatus());
  CHECK(runtime->Inspect("c1").status().code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "a container that ended can run again after a reset", "[runtime]") {
  RunToEnd("c1", Program::kExitWith7);
  REQUIRE(runtime->Reset("c1") == absl::OkStatus());
  CHECK(StateOf("c1") == ContainerState::kAbsent);
  Start("c1", Program::kExitWith0);
  const auto exited = log.Next(Kind::kExited, "c1");
  REQUIRE(exited.has_value());
  CHECK(exited->exit_code == 0);
}

TEST_CASE_METHOD(Fixture, "a reset only affects containers that have ended", "[runtime]") {
  CHECK(runtime->Reset("c1") == absl::OkStatus());
  Create("c1", Program::kRunUntilTerm);
  CHECK(runtime->Reset("c1") == absl::OkStatus());
  CHECK(StateOf("c1") == ContainerState::kCreated);
  REQUIRE(runtime->Start("c1").ok());
  CHECK(runtime->Reset("c1").code() == Code::kFailedPrecondition);
  CHECK(StateOf("c1") == ContainerState::kRunning);
}

TEST_CASE_METHOD(Fixture, "a container whose shim was killed can run again after a reset",
                 "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  world->KillShim("c1");
  REQUIRE(log.Next(Kind::kExited, "c1").has_value());
  REQUIRE(runtime->Reset("c1") == absl::OkStatus());
  // containerd may still be clearing up after that shim.
  absl::Status created = absl::UnavailableError("");
  while (absl::IsUnavailable(created)) {
    created = runtime->Create(world->Spec("c1", Program::kRunUntilTerm));
  }
  REQUIRE(created == absl::OkStatus());
  CHECK(runtime->Start("c1").status() == absl::OkStatus());
}

TEST_CASE_METHOD(Fixture, "a command in a container returns exit code and output", "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  const auto result = runtime->Exec(world->Exec("c1", Command::kSayAndExitWith3));
  REQUIRE(result.status() == absl::OkStatus());
  CHECK(result->exit_code == 3);
  CHECK(result->output.find("out\n") != std::string::npos);
  CHECK(result->output.find("err\n") != std::string::npos);
  // Neither the container nor its watcher sees the end of the command.
  CHECK(StateOf("c1") == ContainerState::kRunning);
  CHECK(runtime->Exec(world->Exec("c1", Command::kSayAndExitWith3))->exit_code == 3);
  CHECK(log.Count(Kind::kExited, "c1") == 0);
}

TEST_CASE_METHOD(Fixture, "the end of a command's output is kept", "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  runtime::ExecSpec spec = world->Exec("c1", Command::kSayTenDigits);
  spec.max_output_bytes = 4;
  const auto result = runtime->Exec(spec);
  REQUIRE(result.status() == absl::OkStatus());
  CHECK(result->exit_code == 0);
  CHECK(result->output == "6789");
}

TEST_CASE_METHOD(Fixture, "a command that times out returns its output", "[runtime]") {
  Start("c1", Program::kRunUntilTerm);
  runtime::ExecSpec spec = world->Exec("c1", Command::kRunForever);
  spec.timeout = absl::Seconds(1);
  const absl::Status status = runtime->Exec(spec).status();
  CHECK(status.code() == Code::kDeadlineExceeded);
  CHECK(status.message().find("so far") != absl::string_view::npos);
  CHECK(StateOf("c1") == ContainerState::kRunning);
  CHECK(runtime->Exec(world->Exec("c1", Command::kSayTenDigits)).ok());
}

TEST_CASE_METHOD(Fixture, "a missing command and a command in a stopped container are refused",
                 "[runtime]") {
  const runtime::ExecSpec spec = world->Exec("c1", Command::kSayTenDigits);
  CHECK(runtime->Exec(spec).status().code() == Code::kNotFound);
  Create("c1", Program::kRunUntilTerm);
  CHECK(runtime->Exec(spec).status().code() == Code::kNotFound);
  REQUIRE(runtime->Start("c1").ok());
  CHECK(runtime->Exec(world->Exec("c1", Command::kAbsentProgram)).status().code() ==
        Code::kFailedPrecondition);
  REQUIRE(runtime->Signal("c1", SIGKILL).ok());
  REQUIRE(log.Next(Kind::kExited, "c1").has_value());
  CHECK(runtime->Exec(spec).status().code() == Code::kNotFound);
  world->KillRuntime();
  REQUIRE(log.Next(Kind::kDisconnected).has_value());
  CHECK(runtime->Exec(spec).status().code() == Code::kUnavailable);
  CHECK(runtime->Reset("c1").code() == Code::kUnavailable);
}

}  // namespace
}  // namespace davit::test
