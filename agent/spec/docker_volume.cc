#include "agent/spec/docker_volume.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace davit::spec {
namespace {

bool IsTmpfsData(absl::string_view option) {
  static constexpr absl::string_view kNames[] = {"size=", "uid=", "gid=", "mode=", "nr_inodes="};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [option](absl::string_view name) { return absl::StartsWith(option, name); });
}

absl::Status UseTmpfs(const std::string& options, DockerVolume* volume) {
  volume->kind = DockerVolume::Kind::kTmpfs;
  volume->tmpfs_options = options;
  if (volume->is_shared) {
    return absl::InvalidArgumentError("driverOpts: a tmpfs requires scope task");
  }
  for (absl::string_view option : absl::StrSplit(options, ',', absl::SkipEmpty())) {
    if (!IsTmpfsData(option)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "driverOpts.o: '", option, "' is not size=, uid=, gid=, mode= or nr_inodes="));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DockerVolume> ParseDockerVolume(const v1::DockerVolumeConfiguration& configuration) {
  if (!configuration.driver().empty() && configuration.driver() != "local") {
    return absl::InvalidArgumentError(
        absl::StrCat("driver: '", configuration.driver(), "' is not local"));
  }
  DockerVolume volume;
  volume.is_shared = configuration.scope() == "shared";
  volume.autoprovision = configuration.autoprovision();
  std::string type, device, options;
  for (const auto& [name, value] : configuration.driver_opts()) {
    if (name != "type" && name != "device" && name != "o") {
      return absl::InvalidArgumentError(
          absl::StrCat("driverOpts: '", name, "' is not type, device or o"));
    }
    (name == "type" ? type : name == "device" ? device : options) = value;
  }
  if (type == "tmpfs") {
    const absl::Status status = UseTmpfs(options, &volume);
    if (!status.ok()) return status;
  } else if ((type.empty() || type == "none") && (options == "bind" || options == "rbind") &&
             absl::StartsWith(device, "/")) {
    volume.kind = DockerVolume::Kind::kBind;
    volume.device = device;
  } else if (!type.empty() || !device.empty() || !options.empty()) {
    return absl::InvalidArgumentError(
        "driverOpts: must describe a tmpfs (type tmpfs) or a folder of the host (type none, o "
        "bind, device an absolute path)");
  }
  return volume;
}

}  // namespace davit::spec
