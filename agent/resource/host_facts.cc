#include "agent/resource/host_facts.h"

#include <sys/utsname.h>

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/resource/cgroup_layout.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::resource {
namespace {

constexpr int kCapSysResource = 24;  // linux/capability.h

std::string Trimmed(absl::string_view text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

// The rest of the line that begins with `key`.
absl::StatusOr<std::string> Field(absl::string_view text, absl::string_view key,
                                  absl::string_view file) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, key)) return Trimmed(line);
  }
  return absl::InternalError(absl::StrCat(file, " has no line '", key, "'"));
}

// Counts the CPUs of a kernel list such as "0-3,8".
absl::StatusOr<int> CountCpus(absl::string_view list) {
  int count = 0;
  for (const absl::string_view range : absl::StrSplit(absl::StripAsciiWhitespace(list), ',')) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(range, absl::MaxSplits('-', 1));
    int first = 0;
    int last = 0;
    const absl::string_view end = absl::StrContains(range, "-") ? ends.second : ends.first;
    if (!absl::SimpleAtoi(ends.first, &first) || !absl::SimpleAtoi(end, &last) || last < first) {
      return absl::InternalError(absl::StrCat("not a list of CPUs: '", list, "'"));
    }
    count += last - first + 1;
  }
  return count;
}

// "ID" and "VERSION_ID" of os-release(5); values may be quoted.
std::string OsRelease(absl::string_view os_release) {
  std::string id = "linux";
  std::string version;
  for (absl::string_view line : absl::StrSplit(os_release, '\n')) {
    const auto value = [](absl::string_view text) {
      return std::string(
          absl::StripSuffix(absl::StripPrefix(absl::StripAsciiWhitespace(text), "\""), "\""));
    };
    if (absl::ConsumePrefix(&line, "ID=")) id = value(line);
    if (absl::ConsumePrefix(&line, "VERSION_ID=")) version = value(line);
  }
  return version.empty() ? id : absl::StrCat(id, " ", version);
}

// The version in "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15
// UTC 2023".
std::string NvidiaDriverVersion(absl::string_view text) {
  const absl::string_view line = text.substr(0, text.find('\n'));
  for (absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
    if (absl::ascii_isdigit(word.front()) && absl::StrContains(word, '.')) return std::string(word);
  }
  return "";
}

uint64_t ParseLimit(absl::string_view text) {
  uint64_t value = 0;
  return absl::SimpleAtoi(text, &value) ? value : std::numeric_limits<uint64_t>::max();
}

// proc/self/limits is a table whose first column has spaces; the names are fixed (fs/proc/base.c).
std::map<std::string, Rlimit> ParseLimits(absl::string_view table) {
  static const std::vector<std::pair<absl::string_view, std::string>> kNames = {
      {"Max cpu time", "RLIMIT_CPU"},
      {"Max file size", "RLIMIT_FSIZE"},
      {"Max data size", "RLIMIT_DATA"},
      {"Max stack size", "RLIMIT_STACK"},
      {"Max core file size", "RLIMIT_CORE"},
      {"Max resident set", "RLIMIT_RSS"},
      {"Max processes", "RLIMIT_NPROC"},
      {"Max open files", "RLIMIT_NOFILE"},
      {"Max locked memory", "RLIMIT_MEMLOCK"},
      {"Max address space", "RLIMIT_AS"},
      {"Max file locks", "RLIMIT_LOCKS"},
      {"Max pending signals", "RLIMIT_SIGPENDING"},
      {"Max msgqueue size", "RLIMIT_MSGQUEUE"},
      {"Max nice priority", "RLIMIT_NICE"},
      {"Max realtime priority", "RLIMIT_RTPRIO"},
      {"Max realtime timeout", "RLIMIT_RTTIME"}};
  std::map<std::string, Rlimit> limits;
  for (absl::string_view line : absl::StrSplit(table, '\n')) {
    for (const auto& [title, name] : kNames) {
      absl::string_view rest = line;
      if (!absl::ConsumePrefix(&rest, title)) continue;
      const std::vector<absl::string_view> columns = absl::StrSplit(rest, ' ', absl::SkipEmpty());
      if (columns.size() >= 2) limits[name] = {ParseLimit(columns[0]), ParseLimit(columns[1])};
    }
  }
  return limits;
}

absl::StatusOr<bool> HasEffectiveCapability(absl::string_view status, int capability) {
  ASSIGN_OR_RETURN(const std::string hex, Field(status, "CapEff:", "proc/self/status"));
  uint64_t bits = 0;
  if (!absl::SimpleHexAtoi(hex, &bits))
    return absl::InternalError(absl::StrCat("CapEff: '", hex, "'"));
  return ((bits >> capability) & 1U) != 0;
}

}  // namespace

std::string GoArchitecture(const std::string& machine) {
  static const std::map<std::string, std::string> kNames = {
      {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"},         {"armv6l", "arm"},
      {"i686", "386"},     {"i386", "386"},      {"loongarch64", "loong64"}};
  const auto it = kNames.find(machine);
  return it == kNames.end() ? machine : it->second;
}

absl::StatusOr<HostFacts> ReadHostFacts(const std::string& root) {
  const auto read = [&root](const char* path) { return ReadFile(absl::StrCat(root, "/", path)); };
  HostFacts facts;
  ASSIGN_OR_RETURN(const std::string cpus, read("sys/devices/system/cpu/online"));
  ASSIGN_OR_RETURN(facts.cores, CountCpus(cpus));
  ASSIGN_OR_RETURN(const std::string meminfo, read("proc/meminfo"));
  ASSIGN_OR_RETURN(const std::string total, Field(meminfo, "MemTotal:", "proc/meminfo"));
  int64_t kibibytes = 0;
  if (!absl::SimpleAtoi(absl::StripSuffix(total, " kB"), &kibibytes)) {
    return absl::InternalError(absl::StrCat("proc/meminfo: MemTotal '", total, "'"));
  }
  facts.memory_bytes = kibibytes * 1024;
  ASSIGN_OR_RETURN(const std::string kernel, read("proc/sys/kernel/osrelease"));
  facts.kernel = Trimmed(kernel);
  ASSIGN_OR_RETURN(const std::string boot_id, read("proc/sys/kernel/random/boot_id"));
  facts.boot_id = Trimmed(boot_id);
  ASSIGN_OR_RETURN(const std::string mountinfo, read("proc/self/mountinfo"));
  facts.has_cgroup_v2 = ParseCgroupMounts(mountinfo).IsUnified();
  ASSIGN_OR_RETURN(const std::string limits, read("proc/self/limits"));
  facts.rlimits = ParseLimits(limits);
  ASSIGN_OR_RETURN(const std::string status, read("proc/self/status"));
  ASSIGN_OR_RETURN(facts.may_raise_rlimits, HasEffectiveCapability(status, kCapSysResource));
  facts.nvidia_driver_version =
      NvidiaDriverVersion(read("proc/driver/nvidia/version").value_or(""));
  facts.machine_id = Trimmed(read("etc/machine-id").value_or(""));
  facts.os_family = "LINUX";
  facts.os_release = OsRelease(read("etc/os-release").value_or(""));
  // The file exists since Linux 6.1. uname(2) works everywhere, but not for a fixture tree.
  if (const absl::StatusOr<std::string> machine = read("proc/sys/kernel/arch"); machine.ok()) {
    facts.architecture = GoArchitecture(Trimmed(*machine));
  } else {
    utsname names{};
    if (uname(&names) == 0) facts.architecture = GoArchitecture(names.machine);
  }
  return facts;
}

}  // namespace davit::resource
