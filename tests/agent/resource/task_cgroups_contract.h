#ifndef DAVIT_TESTS_AGENT_RESOURCE_TASK_CGROUPS_CONTRACT_H_
#define DAVIT_TESTS_AGENT_RESOURCE_TASK_CGROUPS_CONTRACT_H_

#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "agent/resource/task_cgroups.h"

namespace davit::resource {

// What the contract needs beyond the interface: the actions of runc and the kernel.
class TaskCgroupsWorld {
 public:
  virtual ~TaskCgroupsWorld() = default;
  virtual TaskCgroups* cgroups() = 0;
  // Like runc at a container's start and deletion.
  virtual void MakeContainerCgroup(const std::string& task_id, const std::string& container) = 0;
  virtual void RemoveContainerCgroup(const std::string& task_id, const std::string& container) = 0;
  // Puts a sleeping process there and returns its pid.
  virtual int StartProcess(const std::string& path) = 0;
  virtual bool IsAlive(int pid) = 0;
};

// The contract of every TaskCgroups, for use in a TEST_CASE.
inline void CheckTaskCgroupsContract(TaskCgroupsWorld* world) {
  TaskCgroups& cgroups = *world->cgroups();
  CgroupLimits limits;
  limits.memory_bytes = 64 << 20;
  limits.cpu_quota = absl::Milliseconds(50);
  limits.cpu_shares = 512;
  limits.pids = 100;

  SECTION("a path is the parent's, the task's and the container's name") {
    CHECK(cgroups.TaskPath("t1").front() == '/');
    CHECK(cgroups.ContainerPath("t1", "web") == cgroups.TaskPath("t1") + "/web");
  }
  SECTION("creating a task again keeps it and sets its limits anew") {
    REQUIRE(cgroups.Create("t1", limits) == absl::OkStatus());
    CHECK(cgroups.Read(cgroups.TaskPath("t1"))->memory_limit_bytes == 64 << 20);
    limits.memory_bytes = 128 << 20;
    REQUIRE(cgroups.Create("t1", limits) == absl::OkStatus());
    CHECK(cgroups.Read(cgroups.TaskPath("t1"))->memory_limit_bytes == 128 << 20);
    limits.memory_bytes = 32 << 20;
    REQUIRE(cgroups.Create("t1", limits) == absl::OkStatus());
    CHECK(cgroups.Read(cgroups.TaskPath("t1"))->memory_limit_bytes == 32 << 20);
  }
  SECTION("a task without limits has none") {
    REQUIRE(cgroups.Create("t1", CgroupLimits{}) == absl::OkStatus());
    const absl::StatusOr<CgroupUsage> usage = cgroups.Read(cgroups.TaskPath("t1"));
    REQUIRE(usage.ok());
    CHECK(usage->memory_limit_bytes == 0);
    CHECK(usage->oom_kills == 0);
    CHECK(usage->processes == 0);
  }
  SECTION("a value that the kernel refuses is an invalid argument that names the value") {
    limits.cpu_quota = absl::Microseconds(7);
    const absl::Status refused = cgroups.Create("t1", limits);
    CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
    CHECK(refused.message().find("'7") != std::string::npos);
  }
  SECTION("a name that leaves the parent is refused") {
    CHECK(cgroups.Create("../t1", limits).code() == absl::StatusCode::kInvalidArgument);
    CHECK(cgroups.Create("", limits).code() == absl::StatusCode::kInvalidArgument);
  }
  SECTION("processes of a container are the task's too") {
    REQUIRE(cgroups.Create("t1", limits) == absl::OkStatus());
    world->MakeContainerCgroup("t1", "web");
    const int pid = world->StartProcess(cgroups.ContainerPath("t1", "web"));
    CHECK(*cgroups.Processes(cgroups.ContainerPath("t1", "web")) == std::vector<int>{pid});
    CHECK(*cgroups.Processes(cgroups.TaskPath("t1")) == std::vector<int>{pid});
    CHECK(cgroups.Read(cgroups.TaskPath("t1"))->processes == 1);
  }
  SECTION("a signal reaches what is in a container, and nothing else") {
    REQUIRE(cgroups.Create("t1", limits) == absl::OkStatus());
    world->MakeContainerCgroup("t1", "web");
    world->MakeContainerCgroup("t1", "db");
    const int web = world->StartProcess(cgroups.ContainerPath("t1", "web"));
    const int db = world->StartProcess(cgroups.ContainerPath("t1", "db"));
    CHECK(cgroups.Signal(cgroups.ContainerPath("t1", "web"), SIGKILL) == absl::OkStatus());
    while (world->IsAlive(web)) std::this_thread::yield();
    CHECK(world->IsAlive(db));
    CHECK(cgroups.Signal(cgroups.ContainerPath("t1", "gone"), SIGKILL) == absl::OkStatus());
  }
  SECTION("a container may be called as files of cgroups are") {
    REQUIRE(cgroups.Create("t1", limits) == absl::OkStatus());
    for (const char* name : {"tasks", "notify_on_release", "cgroup_procs"}) {
      world->MakeContainerCgroup("t1", name);
      const int pid = world->StartProcess(cgroups.ContainerPath("t1", name));
      CHECK(*cgroups.Processes(cgroups.ContainerPath("t1", name)) == std::vector<int>{pid});
    }
  }
  SECTION("removing a task kills what is left in it") {
    REQUIRE(cgroups.Create("t1", limits) == absl::OkStatus());
    world->MakeContainerCgroup("t1", "web");
    world->MakeContainerCgroup("t1", "db");
    const int web = world->StartProcess(cgroups.ContainerPath("t1", "web"));
    const int db = world->StartProcess(cgroups.ContainerPath("t1", "db"));
    REQUIRE(cgroups.Remove("t1", absl::Seconds(10)) == absl::OkStatus());
    CHECK_FALSE(world->IsAlive(web));
    CHECK_FALSE(world->IsAlive(db));
    CHECK(cgroups.List()->empty());
    CHECK(cgroups.Read(cgroups.TaskPath("t1")).status().code() == absl::StatusCode::kNotFound);
    CHECK(cgroups.Processes(cgroups.TaskPath("t1"))->empty());
  }
  SECTION("removing what is gone succeeds") {
    CHECK(cgroups.Remove("never-there", absl::Seconds(1)) == absl::OkStatus());
  }
  SECTION("a removed container is not found, its task is") {
    REQUIRE(cgroups.Create("t1", limits) == absl::OkStatus());
    world->MakeContainerCgroup("t1", "web");
    CHECK(cgroups.Read(cgroups.ContainerPath("t1", "web")).ok());
    world->RemoveContainerCgroup("t1", "web");
    CHECK(cgroups.Read(cgroups.ContainerPath("t1", "web")).status().code() ==
          absl::StatusCode::kNotFound);
    CHECK(cgroups.Read(cgroups.TaskPath("t1")).ok());
  }
  SECTION("the list names the tasks and not the containers") {
    REQUIRE(cgroups.Create("t1", limits) == absl::OkStatus());
    REQUIRE(cgroups.Create("t2", limits) == absl::OkStatus());
    world->MakeContainerCgroup("t2", "web");
    CHECK(*cgroups.List() == std::vector<std::string>{"t1", "t2"});
  }
}

}  // namespace davit::resource

#endif  // DAVIT_TESTS_AGENT_RESOURCE_TASK_CGROUPS_CONTRACT_H_
