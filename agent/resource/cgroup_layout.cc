#include "agent/resource/cgroup_layout.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::resource {
namespace {

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string Unescape(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3') {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Reads a file with one number. v2 writes "max" for no limit; then the result is `if_max`.
absl::StatusOr<int64_t> ReadNumber(const std::string& path, int64_t if_max = 0) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const absl::string_view number = absl::StripAsciiWhitespace(text);
  if (number == "max") return if_max;
  int64_t value = 0;
  if (!absl::SimpleAtoi(number, &value)) {
    return absl::InternalError(absl::StrCat(path, ": not a number: '", number, "'"));
  }
  return value;
}

int64_t ReadNumberOr(const std::string& path, int64_t otherwise) {
  return ReadNumber(path, otherwise).value_or(otherwise);
}

// Reads a flat keyed file: "name number" per line. Empty if it is unreadable.
std::map<std::string, int64_t> ReadFlatKeyed(const std::string& path) {
  std::map<std::string, int64_t> values;
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return values;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int64_t value = 0;
    if (absl::SimpleAtoi(pair.second, &value)) values[std::string(pair.first)] = value;
  }
  return values;
}

// v1 has no value for "no limit"; it uses the largest number of pages.
constexpr int64_t kV1NoLimit = int64_t{1} << 62;

// The order matters, because the kernel demands memory.limit_in_bytes <=
// memory.memsw.limit_in_bytes at every moment (else EINVAL). To raise limits, set the sum of memory
// and swap first; to lower them, set memory first.
void AppendV1Memory(const std::string& folder, int64_t bytes,
                    std::vector<CgroupSetting>* settings) {
  const std::string value = absl::StrCat(bytes);
  const CgroupSetting memory{"memory", "memory.limit_in_bytes", value};
  const CgroupSetting with_swap{"memory", "memory.memsw.limit_in_bytes", value};
  const absl::StatusOr<int64_t> current = ReadNumber(absl::StrCat(folder, "/", with_swap.file));
  if (!current.ok()) {
    settings->push_back(memory);  // no swap accounting
  } else if (*current < bytes) {
    settings->insert(settings->end(), {with_swap, memory});
  } else {
    settings->insert(settings->end(), {memory, with_swap});
  }
}

std::vector<CgroupSetting> V1Settings(const CgroupMounts& mounts, const std::string& path,
                                      const CgroupLimits& limits) {
  std::vector<CgroupSetting> settings;
  if (limits.cpu_shares.has_value()) {
    settings.push_back({"cpu", "cpu.shares", absl::StrCat(*limits.cpu_shares)});
  }
  if (limits.cpu_quota.has_value()) {
    settings.push_back(
        {"cpu", "cpu.cfs_period_us", absl::StrCat(absl::ToInt64Microseconds(limits.cpu_period))});
    settings.push_back(
        {"cpu", "cpu.cfs_quota_us", absl::StrCat(absl::ToInt64Microseconds(*limits.cpu_quota))});
  }
  const std::string memory = mounts.Folder("memory", path);
  // By default, kernels before 5.11 count each cgroup alone; later ones always include its
  // children.
  if (ReadNumberOr(memory + "/memory.use_hierarchy", 1) == 0) {
    settings.push_back({"memory", "memory.use_hierarchy", "1"});
  }
  if (limits.memory_bytes.has_value()) AppendV1Memory(memory, *limits.memory_bytes, &settings);
  if (limits.pids.has_value()) settings.push_back({"pids", "pids.max", absl::StrCat(*limits.pids)});
  return settings;
}

std::vector<CgroupSetting> V2Settings(const CgroupMounts& mounts, const std::string& path,
                                      const CgroupLimits& limits) {
  std::vector<CgroupSetting> settings;
  if (limits.cpu_shares.has_value()) {
    settings.push_back({"cpu", "cpu.weight", absl::StrCat(WeightFromShares(*limits.cpu_shares))});
  }
  if (limits.cpu_quota.has_value()) {
    settings.push_back({"cpu", "cpu.max",
                        absl::StrCat(absl::ToInt64Microseconds(*limits.cpu_quota), " ",
                                     absl::ToInt64Microseconds(limits.cpu_period))});
  }
  if (limits.memory_bytes.has_value()) {
    settings.push_back({"memory", "memory.max", absl::StrCat(*limits.memory_bytes)});
    if (FileExists(absl::StrCat(mounts.v2, path, "/memory.swap.max"))) {
      settings.push_back({"memory", "memory.swap.max", "0"});
    }
  }
  if (limits.pids.has_value()) settings.push_back({"pids", "pids.max", absl::StrCat(*limits.pids)});
  return settings;
}

absl::StatusOr<CgroupUsage> V1Counters(const CgroupMounts& mounts, const std::string& path) {
  const std::string memory = mounts.Folder("memory", path);
  CgroupUsage usage;
  ASSIGN_OR_RETURN(const int64_t in_use, ReadNumber(memory + "/memory.usage_in_bytes"));
  std::map<std::string, int64_t> stat = ReadFlatKeyed(memory + "/memory.stat");
  usage.memory_bytes = std::max<int64_t>(0, in_use - stat["total_inactive_file"]);
  usage.memory_peak_bytes = ReadNumberOr(memory + "/memory.max_usage_in_bytes", 0);
  const int64_t limit = ReadNumberOr(memory + "/memory.limit_in_bytes", 0);
  usage.memory_limit_bytes = limit >= kV1NoLimit ? 0 : limit;
  ASSIGN_OR_RETURN(const int64_t nanoseconds,
                   ReadNumber(mounts.Folder("cpuacct", path) + "/cpuacct.usage"));
  usage.cpu_time = absl::Nanoseconds(nanoseconds);
  usage.cpu_throttled_periods =
      ReadFlatKeyed(mounts.Folder("cpu", path) + "/cpu.stat")["nr_throttled"];
  return usage;
}

absl::StatusOr<CgroupUsage> V2Counters(const std::string& folder) {
  CgroupUsage usage;
  ASSIGN_OR_RETURN(const int64_t in_use, ReadNumber(folder + "/memory.current"));
  usage.memory_bytes =
      std::max<int64_t>(0, in_use - ReadFlatKeyed(folder + "/memory.stat")["inactive_file"]);
  usage.memory_peak_bytes = ReadNumberOr(folder + "/memory.peak", 0);  // since Linux 5.19
  usage.memory_limit_bytes = ReadNumberOr(folder + "/memory.max", 0);
  std::map<std::string, int64_t> cpu = ReadFlatKeyed(folder + "/cpu.stat");
  usage.cpu_time = absl::Microseconds(cpu["usage_usec"]);
  usage.cpu_throttled_periods = cpu["nr_throttled"];
  return usage;
}

}  // namespace

bool CgroupMounts::IsUnified() const {
  return !v2.empty() && v1.count("memory") == 0 && v1.count("cpu") == 0;
}

std::vector<std::string> CgroupMounts::Roots() const {
  std::set<std::string> roots;
  for (const auto& [controller, mount] : v1) roots.insert(mount);
  if (!v2.empty()) roots.insert(v2);
  return {roots.begin(), roots.end()};
}

std::string CgroupMounts::Folder(const std::string& controller, const std::string& path) const {
  if (IsUnified()) return v2 + path;
  const auto mount = v1.find(controller);
  return mount == v1.end() ? "" : mount->second + path;
}

std::vector<std::string> CgroupMounts::TaskControllers() const {
  if (IsUnified()) return {"cpu", "memory", "pids"};
  std::vector<std::string> controllers;
  for (const char* controller : {"cpu", "cpuacct", "memory", "pids"}) {
    if (v1.count(controller) > 0) controllers.emplace_back(controller);
  }
  return controllers;
}

CgroupMounts ParseCgroupMounts(absl::string_view mountinfo) {
  // Options of a v1 mount that are not controllers (kernel/cgroup/cgroup-v1.c).
  static constexpr absl::string_view kFlags[] = {"rw",           "ro",
                                                 "all",          "none",
                                                 "noprefix",     "clone_children",
                                                 "xattr",        "cpuset_v2_mode",
                                                 "favordynmods", "nofavordynmods"};
  CgroupMounts mounts;
  for (const absl::string_view line : absl::StrSplit(mountinfo, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> halves = absl::StrSplit(line, absl::MaxSplits(" - ", 1));
    if (halves.size() != 2) continue;
    const std::vector<absl::string_view> left = absl::StrSplit(halves[0], ' ');
    const std::vector<absl::string_view> right = absl::StrSplit(halves[1], ' ');
    if (left.size() < 5 || right.size() < 3) continue;
    const std::string mount_point = Unescape(left[4]);
    if (right[0] == "cgroup2" && mounts.v2.empty()) mounts.v2 = mount_point;
    if (right[0] != "cgroup") continue;
    for (const absl::string_view option : absl::StrSplit(right[2], ',')) {
      const bool is_flag =
          std::find(std::begin(kFlags), std::end(kFlags), option) != std::end(kFlags);
      if (is_flag || absl::StartsWith(option, "release_agent=")) continue;
      mounts.v1.emplace(option, mount_point);
    }
  }
  return mounts;
}

std::vector<CgroupSetting> SettingsFor(const CgroupMounts& mounts, const std::string& path,
                                       const CgroupLimits& limits) {
  return mounts.IsUnified() ? V2Settings(mounts, path, limits) : V1Settings(mounts, path, limits);
}

int64_t WeightFromShares(int64_t shares) {
  const int64_t clamped = std::clamp<int64_t>(shares, 2, 262144);
  return 1 + ((clamped - 2) * 9999) / 262142;
}

absl::StatusOr<CgroupUsage> ReadCounters(const CgroupMounts& mounts, const std::string& path) {
  absl::StatusOr<CgroupUsage> usage =
      mounts.IsUnified() ? V2Counters(mounts.v2 + path) : V1Counters(mounts, path);
  // Reading a cgroup that is removed after open() fails with ENODEV.
  if (!usage.ok() && !FileExists(mounts.Folder("memory", path))) {
    return absl::NotFoundError(absl::StrCat("cgroup ", path, " is gone"));
  }
  return usage;
}

std::map<std::string, int64_t> ReadOomKills(const CgroupMounts& mounts, const std::string& path) {
  std::map<std::string, int64_t> kills;
  const std::string folder = mounts.Folder("memory", path);
  if (mounts.IsUnified()) {
    kills[path] = ReadFlatKeyed(folder + "/memory.events")["oom_kill"];
    return kills;
  }
  kills[path] = ReadFlatKeyed(folder + "/memory.oom_control")["oom_kill"];
  for (const std::string& child : ChildFolders(folder)) {
    kills.merge(ReadOomKills(mounts, absl::StrCat(path, "/", child)));
  }
  return kills;
}

std::vector<std::string> ChildFolders(const std::string& folder) {
  std::vector<std::string> names;
  // kernfs counts one link per child. So a cgroup without children, the common case, is recognised
  // without reading some forty names.
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0 || info.st_nlink == 2) return names;
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) {
    const absl::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace davit::resource
