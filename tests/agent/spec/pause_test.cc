#include "agent/spec/pause.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;

// A task of two containers with these modes.
struct SharingFixture : Fixture {
  explicit SharingFixture(const std::string& pid_mode, const std::string& ipc_mode,
                          const std::string& container_json = "{}")
      : Fixture(container_json) {
    task.set_pid_mode(pid_mode);
    task.set_ipc_mode(ipc_mode);
    task.add_container_definitions()->set_name("beside");
    if (pid_mode == "task") place.pid_namespace_path = "/proc/7/ns/pid";
    if (ipc_mode == "task") {
      place.ipc_namespace_path = "/proc/7/ns/ipc";
      place.shared_memory_path = "/var/lib/davit/tasks/0123/shared.memory";
    }
  }
  // {"type": "pid", ...}; null: there is none.
  Json Namespace(const std::string& type) const {
    const Json spec = Build();
    for (const Json& entry : spec["linux"]["namespaces"]) {
      if (entry["type"] == type) return entry;
    }
    return {};
  }
  Json MountAt(const std::string& path) const {
    const Json spec = Build();
    for (const Json& mount : spec["mounts"]) {
      if (mount["destination"] == path) return mount;
    }
    return {};
  }
};

TEST_CASE("containers that share a PID namespace are in the task's", "[pause]") {
  const SharingFixture fixture("task", "");
  CHECK(fixture.Namespace("pid") == Json{{"type", "pid"}, {"path", "/proc/7/ns/pid"}});
  CHECK(fixture.Namespace("ipc") == Json{{"type", "ipc"}});
  CHECK(fixture.MountAt("/dev/shm")["type"] == "tmpfs");
}

TEST_CASE("containers that share an IPC namespace share /dev/shm with it", "[pause]") {
  const SharingFixture fixture("", "task");
  CHECK(fixture.Namespace("ipc") == Json{{"type", "ipc"}, {"path", "/proc/7/ns/ipc"}});
  CHECK(fixture.Namespace("pid") == Json{{"type", "pid"}});
  const Json memory = fixture.MountAt("/dev/shm");
  CHECK(memory["source"] == fixture.place.shared_memory_path);
  CHECK(memory["options"] == Json({"rbind", "rprivate", "rw", "nosuid", "noexec", "nodev"}));
}

TEST_CASE("no init program is added in a shared PID namespace", "[pause]") {
  SharingFixture fixture("task", "", R"({"linuxParameters": {"initProcessEnabled": true}})");
  fixture.host.init_path = "/usr/bin/tini-static";
  CHECK(fixture.Build()["process"]["args"] == Json({"/bin/sh"}));
}

TEST_CASE("a missing namespace of the task is an internal error", "[pause]") {
  SharingFixture fixture("task", "task");
  fixture.place.pid_namespace_path.clear();
  CHECK(fixture.Error() == "INTERNAL: container 'web': pid namespace of the task: there is none");
  fixture.place.pid_namespace_path = "/proc/7/ns/pid";
  fixture.task.set_ipc_mode("");
  CHECK(fixture.Error() == "INTERNAL: container 'web': ipc namespace of the task: is not shared");
}

TEST_CASE("only tasks with several containers that share a namespace need a pause container",
          "[pause]") {
  CHECK(NeedsPause(SharingFixture("task", "host").task));
  CHECK(NeedsPause(SharingFixture("", "task").task));
  CHECK_FALSE(NeedsPause(SharingFixture("host", "none").task));
  Fixture alone;
  alone.task.set_pid_mode("task");
  alone.task.set_ipc_mode("task");
  CHECK_FALSE(NeedsPause(alone.task));
}

TEST_CASE("shared memory has the largest size that a container requests", "[pause]") {
  SharingFixture fixture("", "task", R"({"linuxParameters": {"sharedMemorySize": 16}})");
  CHECK(SharedMemoryMib(fixture.task) == 16);
  fixture.task.mutable_container_definitions(1)->mutable_linux_parameters()->set_shared_memory_size(
      256);
  CHECK(SharedMemoryMib(fixture.task) == 256);
  CHECK(SharedMemoryMib(SharingFixture("", "task").task) == 64);
}

TEST_CASE("the pause container shares nothing with the host and has no capabilities", "[pause]") {
  HostFacts host;
  host.pause_path = "/usr/bin/davit-pause";
  host.devices = {{"/dev/sda", {'b', 8, 0, 0600, 0, 0}}};
  const Json spec = Json::parse(*BuildPauseSpec("arn", "/davit/0123/davit.pause", host));
  CHECK(spec["process"]["args"] == Json({"/davit-pause"}));
  CHECK(spec["process"]["noNewPrivileges"] == true);
  for (const char* set : {"bounding", "effective", "permitted"})
    CHECK(spec["process"]["capabilities"][set].empty());
  CHECK(spec["root"]["readonly"] == true);
  CHECK(spec["linux"]["cgroupsPath"] == "/davit/0123/davit.pause");
  CHECK_FALSE(spec["linux"].contains("devices"));
  CHECK(spec["linux"]["resources"]["devices"][0]["allow"] == false);
  std::set<std::string> types;
  for (const Json& entry : spec["linux"]["namespaces"]) {
    CHECK_FALSE(entry.contains("path"));
    types.insert(entry["type"]);
  }
  CHECK(types == std::set<std::string>{"ipc", "mount", "network", "pid", "uts"});
  const Json& program = spec["mounts"].back();
  CHECK(program["source"] == "/usr/bin/davit-pause");
  CHECK(program["options"].back() == "ro");
  for (const Json& mount : spec["mounts"]) CHECK(mount["destination"] != "/dev/shm");
}

TEST_CASE("a host without the pause program refuses the task by member", "[pause]") {
  const absl::Status refused = BuildPauseSpec("arn", "/davit/0123/davit.pause", {}).status();
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK_THAT(std::string(refused.message()), Catch::Contains("pidMode and ipcMode task"));
}

}  // namespace
}  // namespace davit::spec
