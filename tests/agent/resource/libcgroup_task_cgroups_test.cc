#include "agent/resource/libcgroup_task_cgroups.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/agent/resource/task_cgroups_contract.h"
#include "tests/support/skip.h"

namespace davit::resource {
namespace {

// The kernel, below a parent cgroup of this test. The destructor removes it.
class KernelWorld : public TaskCgroupsWorld {
 public:
  KernelWorld() {
    if (geteuid() != 0) test::Skip("needs root");
    auto cgroups = LibcgroupTaskCgroups::Create(absl::StrCat("/davit-test-", getpid()));
    if (!cgroups.ok()) test::Skip(cgroups.status().ToString());
    cgroups_ = *std::move(cgroups);
    mounts_ = ParseCgroupMounts(*ReadFile("/proc/self/mountinfo"));
  }
  ~KernelWorld() override {
    const std::vector<std::string> tasks = *cgroups_->List();
    for (const std::string& task : tasks) cgroups_->Remove(task, absl::Seconds(10)).IgnoreError();
    for (const int pid : children_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    CHECK(cgroups_->RemoveParent() == absl::OkStatus());
  }

  LibcgroupTaskCgroups* cgroups() override { return cgroups_.get(); }

  // In all hierarchies, like runc.
  void MakeContainerCgroup(const std::string& task_id, const std::string& container) override {
    for (const std::string& root : mounts_.Roots()) {
      REQUIRE(MakeDirectories(root + cgroups_->ContainerPath(task_id, container)) ==
              absl::OkStatus());
    }
  }
  void RemoveContainerCgroup(const std::string& task_id, const std::string& container) override {
    for (const std::string& root : mounts_.Roots()) {
      REQUIRE(rmdir((root + cgroups_->ContainerPath(task_id, container)).c_str()) == 0);
    }
  }
  int StartProcess(const std::string& path) override {
    return Run(path, [] { pause(); });
  }
  bool IsAlive(int pid) override { return !Reap(pid, WNOHANG).has_value(); }

  // The wait status of a child that has ended. Forgets its pid, because a reaped pid may be reused.
  std::optional<int> Reap(int pid, int flags) {
    int status = 0;
    if (children_.count(pid) == 0 || waitpid(pid, &status, flags) != pid) return std::nullopt;
    children_.erase(pid);
    return status;
  }

  // Runs `body` in a child that is in the cgroup before it starts.
  template <typename Body>
  int Run(const std::string& path, Body body) {
    int go[2];
    REQUIRE(pipe(go) == 0);
    const int pid = fork();
    if (pid == 0) {
      char byte = 0;
      if (read(go[0], &byte, 1) == 1) body();
      _exit(0);
    }
    for (const char* controller : {"cpu", "cpuacct", "memory", "pids", "freezer"}) {
      const std::string folder = mounts_.Folder(controller, path);
      if (!folder.empty() && FileExists(folder)) std::ofstream(folder + "/cgroup.procs") << pid;
    }
    REQUIRE(write(go[1], "x", 1) == 1);
    close(go[0]);
    close(go[1]);
    children_.insert(pid);
    return pid;
  }
  std::string File(const std::string& controller, const std::string& path,
                   const std::string& file) {
    return *ReadFile(absl::StrCat(mounts_.Folder(controller, path), "/", file));
  }
  const CgroupMounts& mounts() const { return mounts_; }

 private:
  std::unique_ptr<LibcgroupTaskCgroups> cgroups_;
  CgroupMounts mounts_;
  std::set<int> children_;
};

TEST_CASE("the kernel's task cgroups pass the contract suite", "[resource][root]") {
  KernelWorld world;
  CheckTaskCgroupsContract(&world);
}

TEST_CASE("limits reach the kernel", "[resource][root]") {
  KernelWorld world;
  CgroupLimits limits;
  limits.memory_bytes = 64 << 20;
  limits.cpu_quota = absl::Milliseconds(50);
  limits.cpu_shares = 512;
  limits.pids = 100;
  REQUIRE(world.cgroups()->Create("t1", limits) == absl::OkStatus());
  const std::string path = world.cgroups()->TaskPath("t1");
  CHECK(world.File("pids", path, "pids.max") == "100\n");
  if (world.cgroups()->is_unified()) {
    CHECK(world.File("cpu", path, "cpu.max") == "50000 100000\n");
    CHECK(world.File("memory", path, "memory.max") == "67108864\n");
  } else {
    CHECK(world.File("cpu", path, "cpu.cfs_quota_us") == "50000\n");
    CHECK(world.File("cpu", path, "cpu.cfs_period_us") == "100000\n");
    CHECK(world.File("cpu", path, "cpu.shares") == "512\n");
    CHECK(world.File("memory", path, "memory.limit_in_bytes") == "67108864\n");
  }
}

TEST_CASE("an OOM kill of a process is counted even if its cgroup is gone", "[resource][root]") {
  KernelWorld world;
  CgroupLimits limits;
  limits.memory_bytes = 16 << 20;
  REQUIRE(world.cgroups()->Create("t1", limits) == absl::OkStatus());
  world.MakeContainerCgroup("t1", "web");
  const std::string container = world.cgroups()->ContainerPath("t1", "web");
  const int pid = world.Run(container, [] {
    std::vector<char> memory(64U << 20);
    for (size_t i = 0; i < memory.size(); i += 4096)
      static_cast<volatile char*>(memory.data())[i] = 1;
  });
  const std::optional<int> status = world.Reap(pid, 0);
  REQUIRE(status.has_value());
  CHECK(WIFSIGNALED(*status));
  CHECK(WTERMSIG(*status) == SIGKILL);
  CHECK(world.cgroups()->Read(container)->oom_kills == 1);
  world.RemoveContainerCgroup("t1", "web");
  const absl::StatusOr<CgroupUsage> usage = world.cgroups()->Read(world.cgroups()->TaskPath("t1"));
  REQUIRE(usage.ok());
  CHECK(usage->oom_kills == 1);
  CHECK(usage->memory_peak_bytes > 8 << 20);
  CHECK(usage->cpu_time > absl::ZeroDuration());
}

TEST_CASE("a frozen container is removed", "[resource][root]") {
  KernelWorld world;
  REQUIRE(world.cgroups()->Create("t1", CgroupLimits{}) == absl::OkStatus());
  world.MakeContainerCgroup("t1", "web");
  const std::string container = world.cgroups()->ContainerPath("t1", "web");
  const int pid = world.StartProcess(container);
  const std::string freezer = world.mounts().Folder("freezer", container);
  std::ofstream(freezer + (world.cgroups()->is_unified() ? "/cgroup.freeze" : "/freezer.state"))
      << (world.cgroups()->is_unified() ? "1" : "FROZEN");
  REQUIRE(world.cgroups()->Remove("t1", absl::Seconds(10)) == absl::OkStatus());
  CHECK_FALSE(world.IsAlive(pid));
}

TEST_CASE("a parent that is not a path below the root is refused", "[resource][root]") {
  for (const char* parent : {"", "/", "davit", "/davit/", "/../x"}) {
    CHECK(LibcgroupTaskCgroups::Create(parent).status().code() ==
          absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace davit::resource
