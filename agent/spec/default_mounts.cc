#include "agent/spec/default_mounts.h"

#include "absl/strings/str_cat.h"
#include "agent/spec/pause.h"

namespace davit::spec {
Mount BindMount(absl::string_view source, absl::string_view destination, bool read_only) {
  return {std::string(destination),
          "bind",
          std::string(source),
          {"rbind", "rprivate", read_only ? "ro" : "rw"}};
}

absl::StatusOr<std::vector<Mount>> DefaultMounts(const SpecInput& input) {
  const v1::LinuxParameters& parameters = input.container.linux_parameters();
  if (parameters.has_shared_memory_size() && parameters.shared_memory_size() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "linuxParameters.sharedMemorySize: ", parameters.shared_memory_size(), " MiB is below 1"));
  }
  const int64_t shared_memory_mib = parameters.has_shared_memory_size()
                                        ? parameters.shared_memory_size()
                                        : kDefaultSharedMemoryMib;
  // A privileged container may change the kernel's settings.
  const std::string system_access = input.container.privileged() ? "rw" : "ro";
  std::vector<Mount> mounts = {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts",
       "devpts",
       "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", system_access}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {system_access, "nosuid", "noexec", "nodev"}},
  };
  if (SharesHostIpc(input)) {
    mounts.push_back(BindMount("/dev/mqueue", "/dev/mqueue", false));
    mounts.push_back(BindMount("/dev/shm", "/dev/shm", false));
    return mounts;
  }
  mounts.push_back({"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}});
  // Like Docker's --ipc none.
  if (input.task.ipc_mode() == "none") return mounts;
  if (SharesTaskIpc(input.task)) {
    mounts.push_back(BindMount(input.place.shared_memory_path, "/dev/shm", false));
    for (const char* option : {"nosuid", "noexec", "nodev"})
      mounts.back().options.emplace_back(option);
    return mounts;
  }
  mounts.push_back({"/dev/shm",
                    "tmpfs",
                    "shm",
                    {"nosuid", "noexec", "nodev", "mode=1777",
                     absl::StrCat("size=", shared_memory_mib * 1024, "k")}});
  return mounts;
}

std::vector<std::string> MaskedPaths(const SpecInput& input) {
  if (input.container.privileged()) return {};
  return {"/proc/acpi",
          "/proc/asound",
          "/proc/interrupts",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/sys/devices/virtual/powercap",
          "/sys/firmware"};
}

std::vector<std::string> ReadonlyPaths(const SpecInput& input) {
  if (input.container.privileged()) return {};
  return {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
}

}  // namespace davit::spec
