#include "agent/resource/cgroup_layout.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

int FuzzCgroupMounts(const uint8_t* data, size_t size) {
  const resource::CgroupMounts mounts =
      resource::ParseCgroupMounts(absl::string_view(reinterpret_cast<const char*>(data), size));
  resource::CgroupLimits limits;
  limits.memory_bytes = 1 << 20;
  limits.pids = 10;
  static_cast<void>(resource::SettingsFor(mounts, "/davit-fuzz", limits));
  for (const std::string& controller : mounts.TaskControllers()) {
    Must(mounts.IsUnified() || !mounts.Folder(controller, "/davit-fuzz").empty());
  }
  return 0;
}

}  // namespace davit::fuzz
