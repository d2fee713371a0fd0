#include "tests/agent/spec/runc_bundle.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "tests/support/skip.h"

namespace davit::spec {
namespace {

namespace fs = std::filesystem;

constexpr char kBusybox[] = "/bin/busybox";
constexpr char kRunc[] = "/usr/sbin/runc";
constexpr char kUnshare[] = "/usr/bin/unshare";
constexpr uint64_t kCapSysResource = uint64_t{1} << 24;

CommandResult RunOrFail(std::vector<std::string> arguments) {
  Command command;
  command.arguments = std::move(arguments);
  command.environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
  const absl::StatusOr<CommandResult> result = RunCommand(command);
  INFO(result.status().ToString());
  REQUIRE(result.ok());
  return *result;
}

uint64_t OwnCapabilities() {
  const std::string status = ReadFile("/proc/self/status").value_or("");
  const size_t line = status.find("CapEff:");
  REQUIRE(line != std::string::npos);
  return std::strtoull(status.c_str() + line + 7, nullptr, 16);
}

void MakeRootfs(const std::string& rootfs) {
  for (const char* folder : {"bin", "etc", "proc", "sys", "dev", "tmp", "mnt", "home/app"}) {
    fs::create_directories(fs::path(rootfs) / folder);
  }
  fs::copy_file(kBusybox, rootfs + "/bin/busybox");
  fs::copy_file(DAVIT_PROBE, rootfs + "/bin/probe");
  const CommandResult applets = RunOrFail({kBusybox, "--list"});
  for (absl::string_view name : absl::StrSplit(applets.output, '\n', absl::SkipEmpty())) {
    if (name != "busybox") fs::create_symlink("busybox", absl::StrCat(rootfs, "/bin/", name));
  }
  REQUIRE(WriteFileAtomically(rootfs + "/etc/passwd",
                              "root:x:0:0:root:/root:/bin/sh\n"
                              "app:x:1000:1000:App:/home/app:/bin/sh\n")
              .ok());
  REQUIRE(
      WriteFileAtomically(rootfs + "/etc/group", "root:x:0:\napp:x:1000:\ndata:x:50:app\n").ok());
}

HostFacts ReadHost() {
  HostFacts host;
  utsname names{};
  REQUIRE(uname(&names) == 0);
  host.architecture = std::string(names.machine) == "aarch64" ? "arm64" : "amd64";
  host.kernel_release = names.release;
  host.cgroup_v2 = FileExists("/sys/fs/cgroup/cgroup.controllers");
  host.can_limit_swap =
      host.cgroup_v2 || FileExists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes");
  host.can_raise_rlimits = (OwnCapabilities() & kCapSysResource) != 0;
  rlimit files{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  host.rlimit_hard["RLIMIT_NOFILE"] = files.rlim_max;
  host.seccomp_profile_json = ReadFile("/usr/share/containers/seccomp.json").value_or("");
  if (FileExists("/dev/loop0")) host.devices["/dev/loop0"] = {'b', 7, 0, 0600, 0, 0};
  return host;
}

// Every mount of the cgroup hierarchies on v1 and hybrid hosts, the one of v2.
std::vector<std::string> CgroupMounts() {
  std::vector<std::string> mounts = {"/sys/fs/cgroup"};
  for (const auto& entry : fs::directory_iterator("/sys/fs/cgroup")) {
    if (entry.is_directory() && !entry.is_symlink()) mounts.push_back(entry.path());
  }
  return mounts;
}

}  // namespace

RuncBundle::RuncBundle() {
  if (geteuid() != 0) test::Skip("needs root");
  for (const char* program : {kBusybox, kRunc, kUnshare}) {
    if (!FileExists(program)) test::Skip(absl::StrCat(program, " is not installed"));
  }
  static std::atomic<int> count{0};
  const std::string name = absl::StrCat("davit-spec-test-", getpid(), "-", count++);
  cgroup_parent_ = absl::StrCat("/", name);
  folder_ = (fs::temp_directory_path() / name).string();
  fs::create_directories(folder_);
  MakeRootfs(folder_ + "/rootfs");
  REQUIRE(WriteFileAtomically(folder_ + "/netns", "").ok());
  const CommandResult made =
      RunOrFail({kUnshare, absl::StrCat("--net=", folder_, "/netns"), "/bin/true"});
  INFO(made.error_output);
  REQUIRE(made.exit_code == 0);
}

RuncBundle::~RuncBundle() {
  umount2((folder_ + "/netns").c_str(), MNT_DETACH);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  for (const std::string& mount : CgroupMounts()) {
    rmdir(absl::StrCat(mount, cgroup_parent_, "/x").c_str());
    rmdir(absl::StrCat(mount, cgroup_parent_).c_str());
  }
}

Fixture RuncBundle::MakeFixture(const std::string& container_json) const {
  Fixture fixture(container_json);
  fixture.host = ReadHost();
  fixture.image.environment = {"PATH=/bin"};
  fixture.place.cgroup_path = cgroup_parent_ + "/x";
  fixture.place.network_namespace_path = folder_ + "/netns";
  fixture.place.passwd = ReadFile(folder_ + "/rootfs/etc/passwd").value_or("");
  fixture.place.group = ReadFile(folder_ + "/rootfs/etc/group").value_or("");
  return fixture;
}

CommandResult RuncBundle::Run(Fixture fixture, const std::string& script) const {
  fixture.image.command = {"/bin/sh", "-c", script};
  const absl::StatusOr<std::string> spec = fixture.BuildText();
  INFO(spec.status().ToString());
  REQUIRE(spec.ok());
  REQUIRE(WriteFileAtomically(folder_ + "/config.json", *spec).ok());
  const std::string id = folder_.substr(folder_.rfind('/') + 1);
  return RunOrFail({kRunc, "--root", folder_ + "/state", "run", "--bundle", folder_, id});
}

std::string RuncBundle::Output(const Fixture& fixture, const std::string& script) const {
  const CommandResult result = Run(fixture, script);
  INFO(result.error_output);
  REQUIRE(result.exit_code == 0);
  return std::string(absl::StripAsciiWhitespace(result.output));
}

}  // namespace davit::spec
