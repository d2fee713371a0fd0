#include "agent/resource/libcgroup_task_cgroups.h"

#include <libcgroup.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::resource {
namespace {

// Pause between two checks of something that the kernel finishes by itself, such as an exiting
// process that leaves its cgroup.
constexpr int kRecheckMilliseconds = 5;
// rmdir fails with EBUSY for a moment after the last process has gone.
constexpr absl::Duration kRemovalTime = absl::Seconds(2);

// One lock for the process, because libcgroup's tables are process-wide.
Mutex* LibcgroupMutex() {
  static Mutex* const mutex = new Mutex;
  return mutex;
}

struct FreeCgroup {
  void operator()(cgroup* group) const { cgroup_free(&group); }
};
using CgroupPtr = std::unique_ptr<cgroup, FreeCgroup>;

absl::Status FromLibcgroup(int code, absl::string_view what) {
  if (code == 0) return absl::OkStatus();
  if (code == ECGOTHER) return ErrnoStatus(cgroup_get_last_errno(), what);
  return absl::InternalError(absl::StrCat(what, ": ", cgroup_strerror(code)));
}

absl::Status MakeCgroup(const std::string& path, const std::vector<std::string>& controllers) {
  const MutexLock lock(LibcgroupMutex());
  const CgroupPtr group(cgroup_new_cgroup(path.c_str() + 1));
  if (group == nullptr) return absl::ResourceExhaustedError("cgroup_new_cgroup: out of memory");
  for (const std::string& controller : controllers) {
    if (cgroup_add_controller(group.get(), controller.c_str()) == nullptr) {
      return absl::InternalError(absl::StrCat("libcgroup refuses controller ", controller));
    }
  }
  return FromLibcgroup(cgroup_create_cgroup(group.get(), 1),
                       absl::StrCat("creating cgroup ", path));
}

// Writes one value per call, because libcgroup does not say which of several the kernel refused.
absl::Status Write(const std::string& path, const CgroupSetting& setting) {
  const MutexLock lock(LibcgroupMutex());
  const CgroupPtr group(cgroup_new_cgroup(path.c_str() + 1));
  cgroup_controller* const controller =
      group == nullptr ? nullptr : cgroup_add_controller(group.get(), setting.controller.c_str());
  if (controller == nullptr ||
      cgroup_add_value_string(controller, setting.file.c_str(), setting.value.c_str()) != 0) {
    return absl::InternalError(absl::StrCat("libcgroup refuses ", setting.file));
  }
  const int code = cgroup_modify_cgroup(group.get());
  const std::string what =
      absl::StrCat("writing '", setting.value, "' to ", setting.file, " of cgroup ", path);
  if (code == ECGOTHER && cgroup_get_last_errno() == EBUSY) {
    return absl::UnavailableError(
        absl::StrCat(what, ": usage is above the limit and the kernel could not reclaim it"));
  }
  return FromLibcgroup(code, what);
}

// Adds the processes of `folder` and of the cgroups below it.
void CollectProcesses(const std::string& folder, std::set<int>* pids) {
  const absl::StatusOr<std::string> text = ReadFile(folder + "/cgroup.procs");
  if (!text.ok()) return;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    int pid = 0;
    // 0: a process outside our pid namespace, which has no pid here.
    if (absl::SimpleAtoi(line, &pid) && pid > 0) pids->insert(pid);
  }
  for (const std::string& child : ChildFolders(folder))
    CollectProcesses(absl::StrCat(folder, "/", child), pids);
}

// In v1, SIGKILL does not end a frozen process.
void Thaw(const std::string& folder) {
  std::ofstream(folder + "/freezer.state") << "THAWED";
  for (const std::string& child : ChildFolders(folder)) Thaw(absl::StrCat(folder, "/", child));
}

// Waits until one of `processes` has exited, at most `timeout`.
void WaitForAnyExit(const std::vector<ProcessHandle>& processes, absl::Duration timeout) {
  std::vector<pollfd> polls;
  for (const ProcessHandle& process : processes) polls.push_back({process.fd(), POLLIN, 0});
  // None left to wait for: they have exited, and the kernel is taking them out of the cgroup.
  const int milliseconds = polls.empty() ? kRecheckMilliseconds
                                         : static_cast<int>(absl::ToInt64Milliseconds(timeout)) + 1;
  poll(polls.data(), polls.size(), milliseconds);
}

// Removes a cgroup and those below it. OK if it does not exist.
absl::Status RemoveFolders(const std::string& folder, absl::Duration deadline) {
  for (const std::string& child : ChildFolders(folder)) {
    RETURN_IF_ERROR(RemoveFolders(absl::StrCat(folder, "/", child), deadline));
  }
  while (rmdir(folder.c_str()) != 0) {
    if (errno == ENOENT || errno == ENODEV) return absl::OkStatus();
    if (errno != EBUSY) return ErrnoStatus(errno, absl::StrCat("rmdir ", folder));
    if (Clock::Real()->Monotonic() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat("rmdir ", folder, ": still busy"));
    }
    poll(nullptr, 0, kRecheckMilliseconds);
  }
  return absl::OkStatus();
}

}  // namespace

LibcgroupTaskCgroups::LibcgroupTaskCgroups(std::string parent, CgroupMounts mounts)
    : parent_(std::move(parent)), mounts_(std::move(mounts)) {}

absl::StatusOr<std::unique_ptr<LibcgroupTaskCgroups>> LibcgroupTaskCgroups::Create(
    const std::string& parent) {
  if (parent.size() < 2 || parent[0] != '/' || absl::EndsWith(parent, "/") ||
      absl::StrContains(parent, "..")) {
    return absl::InvalidArgumentError(
        absl::StrCat("cgroup parent '", parent, "' is not an absolute path below the root cgroup"));
  }
  ASSIGN_OR_RETURN(const std::string mountinfo, ReadFile("/proc/self/mountinfo"));
  CgroupMounts mounts = ParseCgroupMounts(mountinfo);
  if (!mounts.IsUnified() && (mounts.v1.count("memory") == 0 || mounts.v1.count("cpu") == 0 ||
                              mounts.v1.count("cpuacct") == 0)) {
    return absl::FailedPreconditionError(
        "no mounted cgroup hierarchy has the controllers memory, cpu and cpuacct");
  }
  const MutexLock lock(LibcgroupMutex());
  if (const int code = cgroup_init(); code != 0) {
    return absl::FailedPreconditionError(absl::StrCat("cgroup_init: ", cgroup_strerror(code)));
  }
  return std::unique_ptr<LibcgroupTaskCgroups>(new LibcgroupTaskCgroups(parent, std::move(mounts)));
}

std::string LibcgroupTaskCgroups::TaskPath(const std::string& task_id) const {
  return absl::StrCat(parent_, "/", task_id);
}

std::string LibcgroupTaskCgroups::ContainerPath(const std::string& task_id,
                                                const std::string& container) const {
  // Files of every v1 cgroup are in the way of folders by their names. No container's name ends so.
  const bool is_taken =
      !mounts_.IsUnified() && (container == "tasks" || container == "notify_on_release");
  return absl::StrCat(parent_, "/", task_id, "/", container, is_taken ? "~" : "");
}

// v2: a cgroup can use only the controllers that all its ancestors enable for their children.
absl::Status LibcgroupTaskCgroups::EnableControllersDownTo(const std::string& path) const {
  std::string folder = mounts_.v2;
  std::vector<std::string> names = absl::StrSplit(path, '/', absl::SkipEmpty());
  names.insert(names.begin(), "");
  for (const std::string& name : names) {
    if (!name.empty()) absl::StrAppend(&folder, "/", name);
    RETURN_IF_ERROR(MakeDirectories(folder), "creating cgroup ", path);
    for (const std::string& controller : mounts_.TaskControllers()) {
      std::ofstream control(folder + "/cgroup.subtree_control");
      control << "+" << controller << std::flush;
      if (!control.good()) {
        return absl::FailedPreconditionError(absl::StrCat(
            "cannot enable controller ", controller, " in ", folder, "/cgroup.subtree_control"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status LibcgroupTaskCgroups::Create(const std::string& task_id, const CgroupLimits& limits) {
  if (task_id.empty() || absl::StrContains(task_id, "/") || absl::StartsWith(task_id, ".")) {
    return absl::InvalidArgumentError(absl::StrCat("'", task_id, "' cannot name a cgroup"));
  }
  const std::string path = TaskPath(task_id);
  if (mounts_.IsUnified()) RETURN_IF_ERROR(EnableControllersDownTo(path));
  RETURN_IF_ERROR(MakeCgroup(path, mounts_.TaskControllers()));
  for (const CgroupSetting& setting : SettingsFor(mounts_, path, limits)) {
    RETURN_IF_ERROR(Write(path, setting));
  }
  return absl::OkStatus();
}

absl::StatusOr<CgroupUsage> LibcgroupTaskCgroups::Read(const std::string& path) const {
  ASSIGN_OR_RETURN(CgroupUsage usage, ReadCounters(mounts_, path));
  const std::map<std::string, int64_t> kills = ReadOomKills(mounts_, path);
  if (mounts_.IsUnified()) {
    usage.oom_kills = kills.at(path);  // the kernel includes removed cgroups
  } else {
    const MutexLock lock(&mu_);
    oom_kills_.Observe(path, kills);
    usage.oom_kills = oom_kills_.Total(path);
  }
  // Reads only one hierarchy, unlike Processes(): this is sampled often and only needs a number.
  std::set<int> pids;
  CollectProcesses(mounts_.Folder("memory", path), &pids);
  usage.processes = static_cast<int64_t>(pids.size());
  return usage;
}

absl::StatusOr<std::vector<int>> LibcgroupTaskCgroups::Processes(const std::string& path) const {
  // A process that is being moved may be in some hierarchies only.
  std::set<std::string> folders;
  for (const std::string& controller : mounts_.TaskControllers())
    folders.insert(mounts_.Folder(controller, path));
  std::set<int> pids;
  for (const std::string& folder : folders) CollectProcesses(folder, &pids);
  return std::vector<int>(pids.begin(), pids.end());
}

// Held first and looked for again, so that no number can have passed to a stranger in between.
absl::StatusOr<std::vector<ProcessHandle>> LibcgroupTaskCgroups::Hold(
    const std::string& path) const {
  ASSIGN_OR_RETURN(const std::vector<int> pids, Processes(path));
  std::vector<ProcessHandle> held;
  for (const int pid : pids) {
    absl::StatusOr<ProcessHandle> process = ProcessHandle::Open(pid);
    if (process.ok()) {
      held.push_back(*std::move(process));
    } else if (!absl::IsNotFound(process.status())) {
      return process.status();
    }
  }
  ASSIGN_OR_RETURN(const std::vector<int> still, Processes(path));
  const std::set<int> inside(still.begin(), still.end());
  std::vector<ProcessHandle> found;
  for (ProcessHandle& process : held) {
    if (inside.count(process.pid()) > 0) found.push_back(std::move(process));
  }
  return found;
}

absl::Status LibcgroupTaskCgroups::Signal(const std::string& path, int signal_number) {
  ASSIGN_OR_RETURN(const std::vector<ProcessHandle> processes, Hold(path));
  absl::Status result;
  for (const ProcessHandle& process : processes) result.Update(process.Signal(signal_number));
  return result;
}

absl::Status LibcgroupTaskCgroups::KillAll(const std::string& path, absl::Duration timeout) const {
  const absl::Duration deadline = Clock::Real()->Monotonic() + timeout;
  const std::string freezer = mounts_.Folder("freezer", path);
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<int> processes, Processes(path));
    if (processes.empty()) return absl::OkStatus();
    if (mounts_.IsUnified()) {
      // Since Linux 5.14. Also kills processes that are forked meanwhile.
      std::ofstream(absl::StrCat(mounts_.v2, path, "/cgroup.kill")) << "1";
    } else if (!freezer.empty()) {
      Thaw(freezer);
    }
    ASSIGN_OR_RETURN(const std::vector<ProcessHandle> held, Hold(path));
    for (const ProcessHandle& process : held) RETURN_IF_ERROR(process.Signal(SIGKILL));
    const absl::Duration left = deadline - Clock::Real()->Monotonic();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(absl::StrCat(processes.size(), " processes of cgroup ",
                                                      path, " do not die, among them ",
                                                      processes[0]));
    }
    // Not all of the time at once: one that forked just before its death has left a child that we
    // have not seen.
    WaitForAnyExit(held, std::min(left, absl::Milliseconds(100)));
  }
}

absl::Status LibcgroupTaskCgroups::Remove(const std::string& task_id, absl::Duration timeout) {
  const std::string path = TaskPath(task_id);
  RETURN_IF_ERROR(KillAll(path, timeout));
  const absl::Duration deadline = Clock::Real()->Monotonic() + kRemovalTime;
  absl::Status result;
  for (const std::string& root : mounts_.Roots())
    result.Update(RemoveFolders(root + path, deadline));
  if (result.ok()) {
    const MutexLock lock(&mu_);
    oom_kills_.Forget(path);
  }
  return result;
}

absl::StatusOr<std::vector<std::string>> LibcgroupTaskCgroups::List() const {
  std::set<std::string> tasks;
  for (const std::string& root : mounts_.Roots()) {
    for (std::string& name : ChildFolders(root + parent_)) tasks.insert(std::move(name));
  }
  return std::vector<std::string>(tasks.begin(), tasks.end());
}

absl::Status LibcgroupTaskCgroups::RemoveParent() {
  ASSIGN_OR_RETURN(const std::vector<std::string> tasks, List());
  if (!tasks.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(parent_, " still has task ", tasks[0]));
  }
  const absl::Duration deadline = Clock::Real()->Monotonic() + kRemovalTime;
  absl::Status result;
  for (const std::string& root : mounts_.Roots())
    result.Update(RemoveFolders(root + parent_, deadline));
  return result;
}

}  // namespace davit::resource
