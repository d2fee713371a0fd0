// Containers of a task that share a PID namespace, and the pause container that holds it.
#include "agent/supervisor/pause.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <nlohmann/json.hpp>

#include "agent/spec/pause.h"
#include "tests/support/fake_host.h"

namespace davit::supervisor {
namespace {

using test::ContainerId;
using test::FakeHost;
using test::MakeAssignment;
using Verb = runtime::FakeRuntime::Verb;

const char kId[] = "00000000000000000000000000000001";

struct SharingHost : FakeHost {
  SharingHost() : assignment(MakeAssignment(1, true)) {
    assignment.mutable_task_definition()->set_pid_mode("task");
    StartAgent();
  }
  void Run() {
    supervisor->Assign(assignment);
    Pass(absl::Seconds(1));
  }
  v1::TaskState State() { return StateOf(assignment.task_arn()); }
  std::string NamespaceOf(const std::string& container) {
    const auto spec = runtime.FindSpec(ContainerId(assignment, container));
    if (!spec.has_value()) return "no such container";
    const nlohmann::json json = nlohmann::json::parse(spec->oci_spec_json);
    for (const nlohmann::json& entry : json["linux"]["namespaces"]) {
      if (entry["type"] == "pid") return entry.value("path", "its own");
    }
    return "the host's";
  }
  void CheckEmpty() {
    CHECK(runtime.List()->empty());
    CHECK(runtime.Snapshots().empty());
    CHECK(runtime.ListLeases()->empty());
    CHECK(cgroups.List()->empty());
  }

  v1::Assignment assignment;
};

TEST_CASE("all containers of a task are in the namespace of its pause container", "[pause]") {
  SharingHost host;
  host.Run();
  CHECK(host.State().last_status() == v1::TaskStatus::RUNNING);
  const auto pause = host.runtime.Inspect(PauseIdOf(kId));
  REQUIRE(pause.ok());
  CHECK(pause->state == runtime::ContainerState::kRunning);
  const std::string path = absl::StrCat("/proc/", pause->pid, "/ns/pid");
  CHECK(host.NamespaceOf("web") == path);
  CHECK(host.NamespaceOf("sidecar") == path);
  CHECK(host.State().containers_size() == 2);  // of the definition
  host.supervisor->Stop({host.assignment.task_arn()}, "enough");
  host.Pass(absl::Minutes(1));
  CHECK(host.State().last_status() == v1::TaskStatus::STOPPED);
  host.CheckEmpty();
}

TEST_CASE("a task of containers that share nothing has no pause container", "[pause]") {
  SharingHost host;
  host.assignment.mutable_task_definition()->clear_pid_mode();
  host.Run();
  CHECK(host.NamespaceOf("web") == "its own");
  CHECK(absl::IsNotFound(host.runtime.Inspect(PauseIdOf(kId)).status()));
}

TEST_CASE("the pause container outlives the agent and an interrupted creation", "[pause]") {
  SharingHost host;
  host.runtime.LoseNextAnswer(Verb::kStart);
  host.Run();
  host.Pass(absl::Seconds(10));
  CHECK(host.State().last_status() == v1::TaskStatus::RUNNING);
  host.StopAgent();
  host.StartAgent();
  host.Pass(absl::Minutes(1));
  CHECK(host.State().last_status() == v1::TaskStatus::RUNNING);
  CHECK(host.runtime.StartCount(PauseIdOf(kId)) == 1);
}

TEST_CASE("no container of a task is created if its pause container has ended", "[pause]") {
  SharingHost host;
  host.runtime.SetOnStart([](const runtime::ContainerSpec& spec) {
    return spec.id == PauseIdOf(kId) ? std::optional<int>(137) : std::nullopt;
  });
  host.Run();
  host.Pass(absl::Minutes(1));
  CHECK(host.State().last_status() == v1::TaskStatus::STOPPED);
  CHECK_THAT(host.State().containers(0).reason(),
             Catch::Contains("CannotCreateContainerError") &&
                 Catch::Contains("shared namespaces (pidMode, ipcMode) has ended"));
  CHECK(host.runtime.StartCount(ContainerId(host.assignment)) == 0);
  host.CheckEmpty();
}

TEST_CASE("an orphan's pause container is stopped after the containers in its namespaces",
          "[pause]") {
  SharingHost host;
  host.Run();
  host.StopAgent();
  host.store.RemoveTask(kId);  // the state folder is lost
  host.runtime.IgnoreSignal(SIGTERM);
  host.StartAgent();
  host.Pass(absl::Minutes(10));
  CHECK(host.runtime.Inspect(PauseIdOf(kId))->state == runtime::ContainerState::kRunning);
  host.supervisor->Stop({host.assignment.task_arn()}, "not yours any more");
  host.Pass(absl::Seconds(20));  // of a grace period of 30
  CHECK_FALSE(host.runtime.Signals(ContainerId(host.assignment)).empty());
  CHECK(host.runtime.Signals(PauseIdOf(kId)).empty());
  host.Pass(absl::Minutes(5));
  CHECK(host.State().last_status() == v1::TaskStatus::STOPPED);
  host.CheckEmpty();
}

TEST_CASE("a pause container alone is not a running task and is removed", "[pause]") {
  SharingHost host;
  host.Run();
  host.StopAgent();
  host.store.RemoveTask(kId);
  for (const char* container : {"web", "sidecar"})
    REQUIRE(host.runtime.Signal(ContainerId(host.assignment, container), SIGKILL, false).ok());
  host.StartAgent();
  host.Pass(absl::Hours(1));
  host.CheckEmpty();
}

}  // namespace
}  // namespace davit::supervisor
