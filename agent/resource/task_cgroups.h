#ifndef DAVIT_AGENT_RESOURCE_TASK_CGROUPS_H_
#define DAVIT_AGENT_RESOURCE_TASK_CGROUPS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace davit::resource {

// The limits of one cgroup. Unset: the kernel's default.
struct CgroupLimits {
  std::optional<absl::Duration> cpu_quota;  // CPU time per period, all CPUs together
  absl::Duration cpu_period = absl::Milliseconds(100);
  std::optional<int64_t> cpu_shares;  // v1 cpu.shares, 2..262144; v2 gets the equivalent cpu.weight
  std::optional<int64_t> memory_bytes;  // hard limit
  std::optional<int64_t> pids;
  friend bool operator==(const CgroupLimits&, const CgroupLimits&) = default;
};

// The kernel's counters for a cgroup and those below it.
struct CgroupUsage {
  int64_t memory_bytes = 0;        // in use, less inactive file cache
  int64_t memory_peak_bytes = 0;   // 0: the kernel does not count it
  int64_t memory_limit_bytes = 0;  // 0: none
  int64_t oom_kills = 0;           // processes killed by the OOM killer
  absl::Duration cpu_time;
  int64_t cpu_throttled_periods = 0;
  int64_t processes = 0;
};

// The agent's cgroup tree: PARENT/<task>/<container>. This class creates the tasks' cgroups
// (libcgroup), runc creates the containers'. Hides the differences between cgroup v1, hybrid and
// v2. Thread-safe. Calls block on kernel files (usually < 1 ms). Paths begin with '/' and are
// relative to each controller's mount, like OCI's cgroupsPath.
class TaskCgroups {
 public:
  virtual ~TaskCgroups() = default;
  virtual std::string TaskPath(const std::string& task_id) const = 0;
  virtual std::string ContainerPath(const std::string& task_id,
                                    const std::string& container) const = 0;
  // OK if it exists; then sets the limits again. InvalidArgument: the kernel refused a value; the
  // message names file and value.
  virtual absl::Status Create(const std::string& task_id, const CgroupLimits& limits) = 0;
  // `path`: a task's or a container's. NotFound: it does not exist.
  virtual absl::StatusOr<CgroupUsage> Read(const std::string& path) const = 0;
  // Processes in the cgroup and below it; empty also if it is gone.
  virtual absl::StatusOr<std::vector<int>> Processes(const std::string& path) const = 0;
  // Sends a signal to the processes in the cgroup and below it, and to no other: each is held
  // (base/process_handle.h) and then looked for again. OK if there is none.
  virtual absl::Status Signal(const std::string& path, int signal_number) = 0;
  // Kills all that is left inside (SIGKILL, waits up to `timeout`), then removes the tree. OK if
  // gone. DeadlineExceeded: processes would not die.
  virtual absl::Status Remove(const std::string& task_id, absl::Duration timeout) = 0;
  // The ids of the tasks that have a cgroup.
  virtual absl::StatusOr<std::vector<std::string>> List() const = 0;
};

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_TASK_CGROUPS_H_
