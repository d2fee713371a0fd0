#ifndef DAVIT_AGENT_RESOURCE_LIBCGROUP_TASK_CGROUPS_H_
#define DAVIT_AGENT_RESOURCE_LIBCGROUP_TASK_CGROUPS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/resource/cgroup_layout.h"
#include "agent/resource/oom_ledger.h"
#include "agent/resource/task_cgroups.h"
#include "base/mutex.h"
#include "base/process_handle.h"

namespace davit::resource {

// TaskCgroups on the kernel. Creates and limits task cgroups with libcgroup, in the hierarchies
// that limit or measure. runc creates the containers' cgroups in all hierarchies, so Remove()
// checks all of them. Reading and removing use the files directly, because libcgroup would move
// left-over processes to the parent instead of failing. Thread-safe: a process-wide lock protects
// libcgroup's process-wide tables. On v1 this object remembers the OOM kills of removed containers
// that Read() saw (see OomLedger). So read a container before removing it.
class LibcgroupTaskCgroups : public TaskCgroups {
 public:
  // `parent`: "/davit"; created with the first task. FailedPrecondition: the host has no usable
  // cgroup hierarchies, or libcgroup cannot start. InvalidArgument: `parent` is not an absolute
  // path below the root.
  static absl::StatusOr<std::unique_ptr<LibcgroupTaskCgroups>> Create(const std::string& parent);

  std::string TaskPath(const std::string& task_id) const override;
  std::string ContainerPath(const std::string& task_id,
                            const std::string& container) const override;
  absl::Status Create(const std::string& task_id, const CgroupLimits& limits) override;
  absl::StatusOr<CgroupUsage> Read(const std::string& path) const override;
  absl::StatusOr<std::vector<int>> Processes(const std::string& path) const override;
  absl::Status Signal(const std::string& path, int signal_number) override;
  absl::Status Remove(const std::string& task_id, absl::Duration timeout) override;
  absl::StatusOr<std::vector<std::string>> List() const override;

  // Whether the host's limiting controllers are cgroup v2's.
  bool is_unified() const { return mounts_.IsUnified(); }
  // Removes the parent cgroup if it has no task. For clean-up and tests; the agent keeps it.
  absl::Status RemoveParent();

 private:
  LibcgroupTaskCgroups(std::string parent, CgroupMounts mounts);
  absl::Status EnableControllersDownTo(const std::string& path) const;
  absl::StatusOr<std::vector<ProcessHandle>> Hold(const std::string& path) const;
  absl::Status KillAll(const std::string& path, absl::Duration timeout) const;

  const std::string parent_;
  const CgroupMounts mounts_;
  mutable Mutex mu_;
  mutable OomLedger oom_kills_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_LIBCGROUP_TASK_CGROUPS_H_
