#include "agent/resource/fake_task_cgroups.h"

#include <catch2/catch.hpp>

#include "tests/agent/resource/task_cgroups_contract.h"

namespace davit::resource {
namespace {

class FakeWorld : public TaskCgroupsWorld {
 public:
  TaskCgroups* cgroups() override { return &fake_; }
  FakeTaskCgroups* fake() { return &fake_; }
  void MakeContainerCgroup(const std::string& task_id, const std::string& container) override {
    fake_.SimulateContainerCgroup(task_id, container);
  }
  void RemoveContainerCgroup(const std::string& task_id, const std::string& container) override {
    fake_.SimulateContainerCgroupRemoved(task_id, container);
  }
  int StartProcess(const std::string& path) override {
    fake_.SimulateProcess(path, ++last_pid_);
    return last_pid_;
  }
  bool IsAlive(int pid) override {
    const std::vector<std::string> tasks = *fake_.List();
    return std::any_of(tasks.begin(), tasks.end(), [this, pid](const std::string& task) {
      const std::vector<int> pids = *fake_.Processes(fake_.TaskPath(task));
      return std::find(pids.begin(), pids.end(), pid) != pids.end();
    });
  }

 private:
  FakeTaskCgroups fake_;
  int last_pid_ = 1000;
};

TEST_CASE("the fake task cgroups pass the contract suite", "[resource]") {
  FakeWorld world;
  CheckTaskCgroupsContract(&world);
}

TEST_CASE("the fake's task remembers the OOM kills of a removed container", "[resource]") {
  FakeTaskCgroups fake;
  REQUIRE(fake.Create("t1", CgroupLimits{}) == absl::OkStatus());
  fake.SimulateContainerCgroup("t1", "web");
  CgroupUsage usage;
  usage.oom_kills = 2;
  fake.SimulateUsage(fake.ContainerPath("t1", "web"), usage);
  CHECK(fake.Read(fake.ContainerPath("t1", "web"))->oom_kills == 2);
  fake.SimulateContainerCgroupRemoved("t1", "web");
  CHECK(fake.Read(fake.TaskPath("t1"))->oom_kills == 2);
}

TEST_CASE("the fake reports processes that survive SIGKILL", "[resource]") {
  FakeTaskCgroups fake;
  REQUIRE(fake.Create("t1", CgroupLimits{}) == absl::OkStatus());
  fake.SimulateUnkillable("t1", true);
  CHECK(fake.Remove("t1", absl::Seconds(1)).code() == absl::StatusCode::kDeadlineExceeded);
  fake.SimulateUnkillable("t1", false);
  CHECK(fake.Remove("t1", absl::Seconds(1)) == absl::OkStatus());
}

}  // namespace
}  // namespace davit::resource
