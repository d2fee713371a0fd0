#ifndef DAVIT_AGENT_RESOURCE_CGROUP_LAYOUT_H_
#define DAVIT_AGENT_RESOURCE_CGROUP_LAYOUT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/resource/task_cgroups.h"

// The differences between cgroup v1, hybrid and v2 hosts: mount points, file names and units. No
// other file of the module knows them. Functions are thread-safe, keep no state, and block only on
// kernel files. Sources: Linux Documentation/admin-guide/cgroup-v1/*.rst and cgroup-v2.rst.

namespace davit::resource {

// Where the cgroup hierarchies are mounted.
struct CgroupMounts {
  std::map<std::string, std::string> v1;  // controller ("cpu", "name=systemd") -> mount point
  std::string v2;                         // empty: no cgroup2 mount

  // Whether the limiting controllers are v2's. False on v1 and hybrid hosts, where v2 lacks the
  // memory and cpu controllers.
  bool IsUnified() const;
  // The mount points of all hierarchies, each once (cpu and cpuacct often share one).
  std::vector<std::string> Roots() const;
  // The folder of cgroup `path` in the hierarchy of `controller`; empty if that is not mounted.
  std::string Folder(const std::string& controller, const std::string& path) const;
  // The controllers in which a task's cgroup is created: those that limit or measure.
  std::vector<std::string> TaskControllers() const;
};

// Parses /proc/self/mountinfo (proc(5)). Ignores other file systems.
CgroupMounts ParseCgroupMounts(absl::string_view mountinfo);

// One value to write into one file of a cgroup.
struct CgroupSetting {
  std::string controller;
  std::string file;
  std::string value;
  friend bool operator==(const CgroupSetting&, const CgroupSetting&) = default;
};

// The values to write, in this order, to give the existing cgroup `path` these `limits`. Unset
// limits do not change. If the kernel accounts for swap, memory and swap together get the memory
// limit, so that a task cannot exceed it by swapping.
std::vector<CgroupSetting> SettingsFor(const CgroupMounts& mounts, const std::string& path,
                                       const CgroupLimits& limits);

// Converts cpu.shares (2..262144) to cpu.weight (1..10000) as runc does (opencontainers/cgroups,
// ConvertCPUSharesToCgroupV2Value). Clamps values outside the range.
int64_t WeightFromShares(int64_t shares);

// Reads CgroupUsage except `oom_kills` and `processes`. NotFound: the cgroup does not exist.
absl::StatusOr<CgroupUsage> ReadCounters(const CgroupMounts& mounts, const std::string& path);

// OOM kills by the path of the cgroup that counted them. v1: `path` and each cgroup below it,
// because v1 counts in the victim's own cgroup. v2: only `path`, whose counter includes all cgroups
// below it, even removed ones.
std::map<std::string, int64_t> ReadOomKills(const CgroupMounts& mounts, const std::string& path);

// The names of a cgroup's children; empty if it does not exist.
std::vector<std::string> ChildFolders(const std::string& folder);

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_CGROUP_LAYOUT_H_
