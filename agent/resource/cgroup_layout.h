#ifndef DAVIT_AGENT_RESOURCE_CGROUP_LAYOUT_H_
#define DAVIT_AGENT_RESOURCE_CGROUP_LAYOUT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/resource/task_cgroups.h"

// What differs between cgroup v1, hybrid and v2 hosts: mount points, file names and units. Nothing
// else in the module knows. Functions are thread-safe, keep no state, and block on kernel files
// only. Sources: Linux Documentation/admin-guide/cgroup-v1/*.rst and cgroup-v2.rst.

namespace davit::resource {

// Where the cgroup hierarchies are mounted.
struct CgroupMounts {
  std::map<std::string, std::string> v1;  // controller ("cpu", "name=systemd") -> mount point
  std::string v2;                         // empty: no cgroup2 mount

  // The limiting controllers are v2's. False on v1 and on hybrid hosts, where v2 has no memory or
  // cpu controller.
  bool IsUnified() const;
  // Every hierarchy's mount point, each once (cpu and cpuacct often share one).
  std::vector<std::string> Roots() const;
  // The folder of `path` in the hierarchy of `controller`; empty if that is not mounted.
  std::string Folder(const std::string& controller, const std::string& path) const;
  // The controllers in which a task's cgroup is made: those that limit and measure.
  std::vector<std::string> TaskControllers() const;
};

// From the text of /proc/self/mountinfo (proc(5)). Other file systems are ignored.
CgroupMounts ParseCgroupMounts(absl::string_view mountinfo);

// One value to be written into one file of a cgroup.
struct CgroupSetting {
  std::string controller;
  std::string file;
  std::string value;
  friend bool operator==(const CgroupSetting&, const CgroupSetting&) = default;
};

// What to write, in this order, so that `path` (which exists) gets `limits`. Unset limits are left
// as they are. Swap is limited along with memory where the kernel accounts for it: a limit that
// swaps is none.
std::vector<CgroupSetting> SettingsFor(const CgroupMounts& mounts, const std::string& path,
                                       const CgroupLimits& limits);

// cpu.weight 1..10000 that equals cpu.shares 2..262144, as runc converts (opencontainers/cgroups,
// ConvertCPUSharesToCgroupV2Value); values outside are clamped.
int64_t WeightFromShares(int64_t shares);

// All of CgroupUsage but `oom_kills` and `processes`. NotFound: gone.
absl::StatusOr<CgroupUsage> ReadCounters(const CgroupMounts& mounts, const std::string& path);

// OOM kills by path of the cgroup that counted them. v1: `path` and each one below it, for v1
// counts in the victim's own cgroup. v2: `path` alone, whose counter includes those below, also the
// removed ones.
std::map<std::string, int64_t> ReadOomKills(const CgroupMounts& mounts, const std::string& path);

// Names of the cgroups directly below a cgroup's folder; empty if it is gone.
std::vector<std::string> ChildFolders(const std::string& folder);

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_CGROUP_LAYOUT_H_
