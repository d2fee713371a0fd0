#include "agent/supervisor/provisioning.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "agent/spec/docker_volume.h"
#include "base/blocking_calls.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

constexpr int kMinShares = 2;
constexpr int kMaxShares = 262144;
constexpr int64_t kMiB = 1 << 20;

const std::string& Overridden(bool has, const std::string& changed, const std::string& defined) {
  return has ? changed : defined;
}

// Whether Docker would create the volume, as opposed to a folder of the host.
bool IsOwnVolume(const v1::Volume& volume) {
  if (!volume.has_docker_volume_configuration()) return volume.host().source_path().empty();
  const auto docker = spec::ParseDockerVolume(volume.docker_volume_configuration());
  return docker.ok() && docker->kind != spec::DockerVolume::Kind::kBind;
}

absl::Status FillIfEmpty(const runtime::Rootfs& rootfs, const std::string& path,
                         const std::string& folder) {
  const Doing step("copying ", path, " of the image to volume folder ", folder);
  std::error_code error;
  if (!std::filesystem::is_empty(folder, error) || error) return absl::OkStatus();
  return runtime::CopyFolderFromRootfs(rootfs, path, folder);
}

}  // namespace

int TaskCpuUnits(const v1::Assignment& assignment) {
  const v1::TaskOverride& overrides = assignment.overrides();
  int units = 0;
  const bool is_number = absl::SimpleAtoi(
      Overridden(overrides.has_cpu(), overrides.cpu(), assignment.task_definition().cpu()), &units);
  return is_number ? std::max(units, 0) : 0;
}

resource::CgroupLimits LimitsOf(const v1::Assignment& assignment, int pids_limit) {
  const v1::TaskDefinition& definition = assignment.task_definition();
  const v1::TaskOverride& overrides = assignment.overrides();
  resource::CgroupLimits limits;
  int memory = 0;
  if (const int cpu = TaskCpuUnits(assignment); cpu > 0) {
    limits.cpu_quota = limits.cpu_period * cpu / 1024;
  } else {
    int64_t shares = 0;
    for (const v1::ContainerDefinition& container : definition.container_definitions()) {
      shares += std::max(container.cpu(), kMinShares);
    }
    limits.cpu_shares = std::clamp<int64_t>(shares, kMinShares, kMaxShares);
  }
  if (absl::SimpleAtoi(Overridden(overrides.has_memory(), overrides.memory(), definition.memory()),
                       &memory) &&
      memory > 0) {
    limits.memory_bytes = memory * kMiB;
  }
  if (pids_limit > 0) limits.pids = pids_limit;
  return limits;
}

absl::Status FillNewVolumes(const v1::TaskDefinition& task,
                            const v1::ContainerDefinition& container, const runtime::Rootfs& rootfs,
                            const spec::ContainerPlace& place) {
  for (const v1::Volume& volume : task.volumes()) {
    const auto folder = place.volumes.find(volume.name());
    if (folder == place.volumes.end() || !IsOwnVolume(volume)) continue;
    for (const v1::MountPoint& point : container.mount_points()) {
      if (point.source_volume() != volume.name()) continue;
      RETURN_IF_ERROR(FillIfEmpty(rootfs, point.container_path(), folder->second), "volume '",
                      volume.name(), "'");
    }
  }
  for (const auto& [path, folder] : place.image_volumes)
    RETURN_IF_ERROR(FillIfEmpty(rootfs, path, folder));
  return absl::OkStatus();
}

std::vector<std::string> GpuIdsOf(const v1::Assignment& assignment, const std::string& container) {
  for (const v1::ContainerIdentity& one : assignment.containers()) {
    if (one.name() == container) return {one.gpu_ids().begin(), one.gpu_ids().end()};
  }
  return {};
}

}  // namespace davit::supervisor
