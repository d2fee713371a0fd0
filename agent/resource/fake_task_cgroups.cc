#include "agent/resource/fake_task_cgroups.h"

#include <algorithm>
#include <csignal>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit::resource {
namespace {
constexpr char kParent[] = "/davit-fake";
}

std::string FakeTaskCgroups::TaskPath(const std::string& task_id) const {
  return absl::StrCat(kParent, "/", task_id);
}

std::string FakeTaskCgroups::ContainerPath(const std::string& task_id,
                                           const std::string& container) const {
  return absl::StrCat(kParent, "/", task_id, "/", container);
}

bool FakeTaskCgroups::IsAtOrBelow(const std::string& path, const std::string& ancestor) const {
  return path == ancestor || absl::StartsWith(path, absl::StrCat(ancestor, "/"));
}

absl::Status FakeTaskCgroups::Create(const std::string& task_id, const CgroupLimits& limits) {
  const MutexLock lock(&mu_);
  if (!create_status_.ok()) return create_status_;
  if (task_id.empty() || absl::StrContains(task_id, "/") || absl::StartsWith(task_id, ".")) {
    return absl::InvalidArgumentError(absl::StrCat("'", task_id, "' cannot name a cgroup"));
  }
  if (limits.cpu_quota.has_value() && *limits.cpu_quota < absl::Milliseconds(1)) {
    return absl::InvalidArgumentError(absl::StrCat("writing '",
                                                   absl::ToInt64Microseconds(*limits.cpu_quota),
                                                   "' to cpu.cfs_quota_us: Invalid argument"));
  }
  Cgroup& group = cgroups_[TaskPath(task_id)];
  if (limits.cpu_quota.has_value()) group.limits.cpu_quota = limits.cpu_quota;
  if (limits.cpu_shares.has_value()) group.limits.cpu_shares = limits.cpu_shares;
  if (limits.pids.has_value()) group.limits.pids = limits.pids;
  if (limits.memory_bytes.has_value()) {
    group.limits.memory_bytes = limits.memory_bytes;
    group.usage.memory_limit_bytes = *limits.memory_bytes;
  }
  group.limits.cpu_period = limits.cpu_period;
  return absl::OkStatus();
}

absl::StatusOr<CgroupUsage> FakeTaskCgroups::Read(const std::string& path) const {
  const MutexLock lock(&mu_);
  const auto own = cgroups_.find(path);
  if (own == cgroups_.end()) return absl::NotFoundError(absl::StrCat("cgroup ", path, " is gone"));
  CgroupUsage total = own->second.usage;
  total.processes = 0;
  for (const auto& [other, group] : cgroups_) {
    if (!IsAtOrBelow(other, path)) continue;
    total.processes += static_cast<int64_t>(group.pids.size());
    if (other == path) continue;
    total.memory_bytes += group.usage.memory_bytes;
    total.oom_kills += group.usage.oom_kills;
    total.cpu_time += group.usage.cpu_time;
  }
  const auto retired = retired_oom_kills_.find(path);
  if (retired != retired_oom_kills_.end()) total.oom_kills += retired->second;
  return total;
}

absl::StatusOr<std::vector<int>> FakeTaskCgroups::Processes(const std::string& path) const {
  const MutexLock lock(&mu_);
  std::set<int> pids;
  for (const auto& [other, group] : cgroups_) {
    if (IsAtOrBelow(other, path)) pids.insert(group.pids.begin(), group.pids.end());
  }
  return std::vector<int>(pids.begin(), pids.end());
}

absl::Status FakeTaskCgroups::Signal(const std::string& path, int signal_number) {
  const MutexLock lock(&mu_);
  if (signal_number != SIGKILL) return absl::OkStatus();
  for (auto& [other, group] : cgroups_) {
    const std::string& group_path = other;
    const bool is_unkillable = std::any_of(
        unkillable_.begin(), unkillable_.end(),
        [&](const std::string& task_id) { return IsAtOrBelow(group_path, TaskPath(task_id)); });
    if (IsAtOrBelow(group_path, path) && !is_unkillable) group.pids.clear();
  }
  return absl::OkStatus();
}

absl::Status FakeTaskCgroups::Remove(const std::string& task_id, absl::Duration) {
  const MutexLock lock(&mu_);
  const std::string path = TaskPath(task_id);
  if (unkillable_.count(task_id) > 0) {
    return absl::DeadlineExceededError(
        absl::StrCat("processes of cgroup ", path, " survive SIGKILL"));
  }
  for (auto it = cgroups_.begin(); it != cgroups_.end();) {
    it = IsAtOrBelow(it->first, path) ? cgroups_.erase(it) : std::next(it);
  }
  retired_oom_kills_.erase(path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FakeTaskCgroups::List() const {
  const MutexLock lock(&mu_);
  std::set<std::string> tasks;
  const std::string prefix = absl::StrCat(kParent, "/");
  for (const auto& [path, group] : cgroups_) {
    const std::string rest = path.substr(prefix.size());
    tasks.insert(rest.substr(0, rest.find('/')));
  }
  return std::vector<std::string>(tasks.begin(), tasks.end());
}

void FakeTaskCgroups::SimulateContainerCgroup(const std::string& task_id,
                                              const std::string& container) {
  const MutexLock lock(&mu_);
  cgroups_[TaskPath(task_id)];
  cgroups_[ContainerPath(task_id, container)];
}

void FakeTaskCgroups::SimulateContainerCgroupRemoved(const std::string& task_id,
                                                     const std::string& container) {
  const MutexLock lock(&mu_);
  const auto it = cgroups_.find(ContainerPath(task_id, container));
  if (it == cgroups_.end()) return;
  retired_oom_kills_[TaskPath(task_id)] += it->second.usage.oom_kills;
  cgroups_.erase(it);
}

void FakeTaskCgroups::SimulateProcess(const std::string& path, int pid) {
  const MutexLock lock(&mu_);
  cgroups_[path].pids.insert(pid);
}

void FakeTaskCgroups::SimulateExit(int pid) {
  const MutexLock lock(&mu_);
  for (auto& [path, group] : cgroups_) group.pids.erase(pid);
}

void FakeTaskCgroups::SimulateUsage(const std::string& path, const CgroupUsage& usage) {
  const MutexLock lock(&mu_);
  CgroupUsage& kept = cgroups_[path].usage;
  const int64_t limit = kept.memory_limit_bytes;
  kept = usage;
  if (kept.memory_limit_bytes == 0) kept.memory_limit_bytes = limit;
}

void FakeTaskCgroups::SimulateUnkillable(const std::string& task_id, bool is_unkillable) {
  const MutexLock lock(&mu_);
  if (is_unkillable) {
    unkillable_.insert(task_id);
  } else {
    unkillable_.erase(task_id);
  }
}

void FakeTaskCgroups::FailCreate(const absl::Status& status) {
  const MutexLock lock(&mu_);
  create_status_ = status;
}

std::optional<CgroupLimits> FakeTaskCgroups::LimitsOf(const std::string& task_id) const {
  const MutexLock lock(&mu_);
  const auto it = cgroups_.find(TaskPath(task_id));
  if (it == cgroups_.end()) return std::nullopt;
  return it->second.limits;
}

}  // namespace davit::resource
