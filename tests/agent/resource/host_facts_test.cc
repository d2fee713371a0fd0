#include "agent/resource/host_facts.h"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/agent/resource/temp_tree.h"

namespace davit::resource {
namespace {

void WriteHost(TempTree* tree) {
  tree->Write("/sys/devices/system/cpu/online", "0-3,6\n");
  tree->Write("/proc/meminfo", "MemTotal:       16384 kB\nMemFree:  1 kB\n");
  tree->Write("/proc/sys/kernel/osrelease", "6.1.0-18-arm64\n");
  tree->Write("/proc/sys/kernel/arch", "aarch64\n");
  tree->Write("/proc/sys/kernel/random/boot_id", "5d1b3a6e-0000-4000-8000-000000000001\n");
  tree->Write("/proc/self/mountinfo", "31 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  tree->Write("/proc/self/limits",
              "Limit                     Soft Limit           Hard Limit           Units     \n"
              "Max cpu time              unlimited            unlimited            seconds   \n"
              "Max open files            1024                 524288               files     \n");
  tree->Write("/proc/self/status", "Name:\tx\nCapEff:\t0000000001000000\nCapBnd:\t0\n");
  tree->Write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  tree->Write("/etc/os-release", "PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n");
}

TEST_CASE("the host's facts are read from its files", "[resource]") {
  TempTree tree;
  WriteHost(&tree);
  const absl::StatusOr<HostFacts> facts = ReadHostFacts(tree.root());
  REQUIRE(facts.ok());
  CHECK(facts->cores == 5);
  CHECK(facts->memory_bytes == 16 << 20);
  CHECK(facts->kernel == "6.1.0-18-arm64");
  CHECK(facts->architecture == "arm64");
  CHECK(facts->boot_id == "5d1b3a6e-0000-4000-8000-000000000001");
  CHECK(facts->machine_id == "0123456789abcdef0123456789abcdef");
  CHECK(facts->os_family == "LINUX");
  CHECK(facts->os_release == "debian 12");
  CHECK(facts->has_cgroup_v2);
  CHECK(facts->rlimits.at("RLIMIT_NOFILE") == Rlimit{1024, 524288});
  CHECK(facts->rlimits.at("RLIMIT_CPU").hard == std::numeric_limits<uint64_t>::max());
  CHECK(facts->may_raise_rlimits);
}

TEST_CASE("the version of a loaded NVIDIA driver is read", "[resource]") {
  TempTree tree;
  WriteHost(&tree);
  CHECK(ReadHostFacts(tree.root())->nvidia_driver_version.empty());
  tree.Write("/proc/driver/nvidia/version",
             "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC "
             "2023\nGCC version:  gcc version 12.2.0\n");
  CHECK(ReadHostFacts(tree.root())->nvidia_driver_version == "535.104.05");
  tree.Write(
      "/proc/driver/nvidia/version",
      "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  560.35.03  Release Build\n");
  CHECK(ReadHostFacts(tree.root())->nvidia_driver_version == "560.35.03");
}

TEST_CASE("a process without CAP_SYS_RESOURCE cannot raise limits", "[resource]") {
  TempTree tree;
  WriteHost(&tree);
  tree.Write("/proc/self/status", "CapEff:\t000001fffeffffff\n");
  CHECK_FALSE(ReadHostFacts(tree.root())->may_raise_rlimits);
}

TEST_CASE("a host without machine-id and os-release has facts", "[resource]") {
  TempTree tree;
  WriteHost(&tree);
  REQUIRE(RemoveAll(tree.root() + "/etc") == absl::OkStatus());
  const absl::StatusOr<HostFacts> facts = ReadHostFacts(tree.root());
  REQUIRE(facts.ok());
  CHECK(facts->machine_id.empty());
  CHECK(facts->os_release == "linux");
}

TEST_CASE("files without usable content are named in an error", "[resource]") {
  TempTree tree;
  CHECK(ReadHostFacts(tree.root()).status().code() == absl::StatusCode::kNotFound);
  WriteHost(&tree);
  tree.Write("/sys/devices/system/cpu/online", "3-0\n");
  CHECK(ReadHostFacts(tree.root()).status().code() == absl::StatusCode::kInternal);
  WriteHost(&tree);
  tree.Write("/proc/meminfo", "MemTotal: much\n");
  const absl::Status status = ReadHostFacts(tree.root()).status();
  CHECK(status.message().find("proc/meminfo") != std::string::npos);
}

TEST_CASE("the facts of this host can be read", "[resource]") {
  const absl::StatusOr<HostFacts> facts = ReadHostFacts("/");
  REQUIRE(facts.ok());
  CHECK(facts->cores > 0);
  CHECK(facts->memory_bytes > 0);
  CHECK_FALSE(facts->architecture.empty());
  CHECK(facts->boot_id.size() == 36);
}

}  // namespace
}  // namespace davit::resource
