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

namespace davit::resource {

// TaskCgroups on the kernel. Cgroups are made and limited through libcgroup, in the hierarchies
// that limit and measure; runc makes those of the containers in all hierarchies, so Remove() looks
// into all of them. Reading and removing go to the files: libcgroup would move left-over processes
// to the parent instead of refusing.
//
// Thread-safe: libcgroup keeps process-wide tables and is called under a process-wide lock. On v1
// the OOM kills of removed containers are remembered in this object from what Read() saw (see
// OomLedger), so read a container before removing it.
class LibcgroupTaskCgroups : public TaskCgroups {
 public:
  // `parent`: "/davit"; made when the first task is. FailedPrecondition: the host has no usable
  // cgroup hierarchies, or libcgroup cannot start. InvalidArgument: `parent` is not an absolute
  // path below the root.
  static absl::StatusOr<std::unique_ptr<LibcgroupTaskCgroups>> Create(const std::string& parent);

  std::string TaskPath(const std::string& task_id) const override;
  std::string ContainerPath(const std::string& task_id,
                            const std::string& container) const override;
  absl::Status Create(const std::string& task_id, const CgroupLimits& limits) override;
  absl::StatusOr<CgroupUsage> Read(const std::string& path) const override;
  absl::StatusOr<std::vector<int>> Processes(const std::string& path) const override;
  absl::Status Remove(const std::string& task_id, absl::Duration timeout) override;
  absl::StatusOr<std::vector<std::string>> List() const override;

  // True on a host whose limiting controllers are cgroup v2's.
  bool is_unified() const { return mounts_.IsUnified(); }
  // Removes the parent cgroup if no task is in it. For `davit` clean-up and tests; the agent leaves
  // it.
  absl::Status RemoveParent();

 private:
  LibcgroupTaskCgroups(std::string parent, CgroupMounts mounts);
  absl::Status EnableControllersDownTo(const std::string& path) const;
  absl::Status KillAll(const std::string& path, absl::Duration timeout) const;

  const std::string parent_;
  const CgroupMounts mounts_;
  mutable Mutex mu_;
  mutable OomLedger oom_kills_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_LIBCGROUP_TASK_CGROUPS_H_
