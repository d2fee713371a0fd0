#include "agent/resource/cgroup_layout.h"

#include <catch2/catch.hpp>

#include "tests/agent/resource/temp_tree.h"

namespace davit::resource {
namespace {

CgroupMounts V1At(const std::string& root) {
  CgroupMounts mounts;
  for (const char* name : {"cpu", "cpuacct", "memory", "pids"}) mounts.v1[name] = root + "/" + name;
  return mounts;
}

CgroupMounts V2At(const std::string& root) {
  CgroupMounts mounts;
  mounts.v2 = root;
  return mounts;
}

TEST_CASE("a hybrid host's limiting controllers are v1's", "[resource]") {
  const CgroupMounts mounts = ParseCgroupMounts(
      "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
      "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
      "rw,xattr,release_agent=/x,name=systemd\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  CHECK_FALSE(mounts.IsUnified());
  CHECK(mounts.v1.size() == 4);
  CHECK(mounts.v1.at("name=systemd") == "/sys/fs/cgroup/systemd");
  CHECK(mounts.Folder("cpuacct", "/davit/t") == "/sys/fs/cgroup/cpu,cpuacct/davit/t");
  CHECK(mounts.Folder("pids", "/davit/t").empty());
  CHECK(mounts.Roots().size() == 4);
  CHECK(mounts.TaskControllers() == std::vector<std::string>{"cpu", "cpuacct", "memory"});
}

TEST_CASE("a host with only cgroup2 is unified", "[resource]") {
  const CgroupMounts mounts = ParseCgroupMounts(
      "31 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  CHECK(mounts.IsUnified());
  CHECK(mounts.Folder("memory", "/davit/t") == "/sys/fs/cgroup/davit/t");
}

TEST_CASE("a mount point with a space is parsed", "[resource]") {
  CHECK(ParseCgroupMounts("31 23 0:26 / /a\\040b rw - cgroup2 cgroup2 rw\n").v2 == "/a b");
}

TEST_CASE("malformed lines are not mounts", "[resource]") {
  CHECK(ParseCgroupMounts("").Roots().empty());
  CHECK(ParseCgroupMounts("garbage\n - \n1 2 3 - cgroup\n").Roots().empty());
}

TEST_CASE("shares are converted to weights as runc does", "[resource]") {
  CHECK(WeightFromShares(2) == 1);
  CHECK(WeightFromShares(1024) == 39);
  CHECK(WeightFromShares(262144) == 10000);
  CHECK(WeightFromShares(0) == 1);
  CHECK(WeightFromShares(1 << 30) == 10000);
}

TEST_CASE("each v2 limit is one file", "[resource]") {
  TempTree tree;
  tree.Write("/t/memory.swap.max", "max\n");
  CgroupLimits limits;
  limits.cpu_quota = absl::Milliseconds(150);
  limits.cpu_shares = 1024;
  limits.memory_bytes = 1 << 20;
  limits.pids = 10;
  CHECK(SettingsFor(V2At(tree.root()), "/t", limits) ==
        std::vector<CgroupSetting>{{"cpu", "cpu.weight", "39"},
                                   {"cpu", "cpu.max", "150000 100000"},
                                   {"memory", "memory.max", "1048576"},
                                   {"memory", "memory.swap.max", "0"},
                                   {"pids", "pids.max", "10"}});
}

TEST_CASE("v1 raises the limit with swap first and lowers it last", "[resource]") {
  TempTree tree;
  tree.Write("/memory/t/memory.memsw.limit_in_bytes", "1000\n");
  CgroupLimits limits;
  limits.memory_bytes = 2000;
  const CgroupMounts mounts = V1At(tree.root());
  CHECK(SettingsFor(mounts, "/t", limits).front().file == "memory.memsw.limit_in_bytes");
  limits.memory_bytes = 500;
  CHECK(SettingsFor(mounts, "/t", limits).front().file == "memory.limit_in_bytes");
}

TEST_CASE("v1 enables hierarchical counting on kernels that need it", "[resource]") {
  TempTree tree;
  tree.Write("/memory/t/memory.use_hierarchy", "0\n");
  CHECK(SettingsFor(V1At(tree.root()), "/t", CgroupLimits{}) ==
        std::vector<CgroupSetting>{{"memory", "memory.use_hierarchy", "1"}});
}

TEST_CASE("v1 counters are converted to our units", "[resource]") {
  TempTree tree;
  tree.Write("/memory/t/memory.usage_in_bytes", "5000\n");
  tree.Write("/memory/t/memory.stat", "inactive_file 1\ntotal_inactive_file 1500\n");
  tree.Write("/memory/t/memory.max_usage_in_bytes", "6000\n");
  tree.Write("/memory/t/memory.limit_in_bytes", "9223372036854771712\n");
  tree.Write("/memory/t/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  tree.Write("/memory/t/web/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  tree.Write("/cpuacct/t/cpuacct.usage", "1500000000\n");
  tree.Write("/cpu/t/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 77\n");
  const CgroupMounts mounts = V1At(tree.root());
  const absl::StatusOr<CgroupUsage> usage = ReadCounters(mounts, "/t");
  REQUIRE(usage.ok());
  CHECK(usage->memory_bytes == 3500);
  CHECK(usage->memory_peak_bytes == 6000);
  CHECK(usage->memory_limit_bytes == 0);
  CHECK(usage->cpu_time == absl::Milliseconds(1500));
  CHECK(usage->cpu_throttled_periods == 4);
  CHECK(ReadOomKills(mounts, "/t") == std::map<std::string, int64_t>{{"/t", 1}, {"/t/web", 2}});
}

TEST_CASE("v2 counters are converted to our units", "[resource]") {
  TempTree tree;
  tree.Write("/t/memory.current", "5000\n");
  tree.Write("/t/memory.stat", "anon 1\ninactive_file 1500\n");
  tree.Write("/t/memory.peak", "6000\n");
  tree.Write("/t/memory.max", "max\n");
  tree.Write("/t/memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\n");
  tree.Write("/t/web/memory.events", "oom_kill 2\n");
  tree.Write("/t/cpu.stat", "usage_usec 1500000\nuser_usec 1\nnr_periods 9\nnr_throttled 4\n");
  const CgroupMounts mounts = V2At(tree.root());
  const absl::StatusOr<CgroupUsage> usage = ReadCounters(mounts, "/t");
  REQUIRE(usage.ok());
  CHECK(usage->memory_bytes == 3500);
  CHECK(usage->memory_peak_bytes == 6000);
  CHECK(usage->memory_limit_bytes == 0);
  CHECK(usage->cpu_time == absl::Milliseconds(1500));
  CHECK(usage->cpu_throttled_periods == 4);
  CHECK(ReadOomKills(mounts, "/t") == std::map<std::string, int64_t>{{"/t", 2}});
}

TEST_CASE("a missing cgroup is NotFound", "[resource]") {
  TempTree tree;
  CHECK(ReadCounters(V1At(tree.root()), "/t").status().code() == absl::StatusCode::kNotFound);
  CHECK(ReadCounters(V2At(tree.root()), "/t").status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace davit::resource
