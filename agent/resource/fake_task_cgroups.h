#ifndef DAVIT_AGENT_RESOURCE_FAKE_TASK_CGROUPS_H_
#define DAVIT_AGENT_RESOURCE_FAKE_TASK_CGROUPS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/resource/task_cgroups.h"
#include "base/mutex.h"

namespace davit::resource {

// TaskCgroups in memory, with the same rules (one contract suite runs on both). Thread-safe; never
// blocks. Tests play the kernel and runc through the Simulate...() calls.
class FakeTaskCgroups : public TaskCgroups {
 public:
  std::string TaskPath(const std::string& task_id) const override;
  std::string ContainerPath(const std::string& task_id,
                            const std::string& container) const override;
  absl::Status Create(const std::string& task_id, const CgroupLimits& limits) override;
  absl::StatusOr<CgroupUsage> Read(const std::string& path) const override;
  absl::StatusOr<std::vector<int>> Processes(const std::string& path) const override;
  absl::Status Signal(const std::string& path, int signal_number) override;
  absl::Status Remove(const std::string& task_id, absl::Duration timeout) override;
  absl::StatusOr<std::vector<std::string>> List() const override;

  // Plays runc, which creates or removes a container's cgroup.
  void SimulateContainerCgroup(const std::string& task_id, const std::string& container);
  void SimulateContainerCgroupRemoved(const std::string& task_id, const std::string& container);
  void SimulateProcess(const std::string& path, int pid);
  void SimulateExit(int pid);
  // Sets what Read(path) returns for this cgroup without its children. The fake itself keeps
  // memory_limit_bytes and processes.
  void SimulateUsage(const std::string& path, const CgroupUsage& usage);
  // While true, the task's processes survive SIGKILL, as on a dead network disk.
  void SimulateUnkillable(const std::string& task_id, bool is_unkillable);
  // Create() returns `status` until FailCreate(OK).
  void FailCreate(const absl::Status& status);

  std::optional<CgroupLimits> LimitsOf(const std::string& task_id) const;

 private:
  struct Cgroup {
    CgroupLimits limits;
    CgroupUsage usage;
    std::set<int> pids;
  };
  bool IsAtOrBelow(const std::string& path, const std::string& ancestor) const;

  mutable Mutex mu_;
  std::map<std::string, Cgroup> cgroups_ ABSL_GUARDED_BY(mu_);             // by path
  std::map<std::string, int64_t> retired_oom_kills_ ABSL_GUARDED_BY(mu_);  // by the task's path
  std::set<std::string> unkillable_ ABSL_GUARDED_BY(mu_);
  absl::Status create_status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_FAKE_TASK_CGROUPS_H_
