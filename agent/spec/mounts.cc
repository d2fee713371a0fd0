#include "agent/spec/mounts.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/spec/default_mounts.h"
#include "base/status.h"

namespace davit::spec {
namespace {

using MountsByPath = std::map<std::string, Mount>;

absl::StatusOr<std::string> CleanDestination(absl::string_view path, absl::string_view member) {
  absl::StatusOr<std::string> destination = CleanAbsolutePath(path, member);
  if (destination.ok() && destination->size() == 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(member, ": cannot mount over the container's root"));
  }
  return destination;
}

absl::Status AddOnce(Mount mount, absl::string_view member, MountsByPath* mounts) {
  const std::string destination = mount.destination;
  if (mounts->emplace(destination, std::move(mount)).second) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(member, ": ", destination, " is already a mount point"));
}

absl::StatusOr<std::string> FindVolumeFolder(const SpecInput& input, const std::string& name,
                                             absl::string_view member) {
  const auto& volumes = input.task.volumes();
  if (std::none_of(volumes.begin(), volumes.end(),
                   [&name](const v1::Volume& volume) { return volume.name() == name; })) {
    return absl::InvalidArgumentError(
        absl::StrCat(member, ".sourceVolume: the task has no volume '", name, "'"));
  }
  const auto folder = input.place.volumes.find(name);
  if (folder == input.place.volumes.end() || folder->second.empty()) {
    return absl::InternalError(
        absl::StrCat(member, ".sourceVolume: the agent created no folder for volume '", name, "'"));
  }
  return folder->second;
}

absl::Status AddMountPoints(const SpecInput& input, const v1::ContainerDefinition& container,
                            absl::string_view prefix, MountsByPath* mounts) {
  for (int i = 0; i < container.mount_points_size(); ++i) {
    const v1::MountPoint& point = container.mount_points(i);
    const std::string member = absl::StrCat(prefix, "mountPoints[", i, "]");
    ASSIGN_OR_RETURN(const std::string folder,
                     FindVolumeFolder(input, point.source_volume(), member));
    ASSIGN_OR_RETURN(
        const std::string destination,
        CleanDestination(point.container_path(), absl::StrCat(member, ".containerPath")));
    RETURN_IF_ERROR(AddOnce(BindMount(folder, destination, point.read_only()), member, mounts));
  }
  return absl::OkStatus();
}

const v1::ContainerDefinition* FindContainer(const v1::TaskDefinition& task,
                                             absl::string_view name) {
  for (const v1::ContainerDefinition& container : task.container_definitions()) {
    if (container.name() == name) return &container;
  }
  return nullptr;
}

// The mounts of `container`: its mountPoints and its volumesFrom. `path` has the containers that
// are being collected, to detect a cycle.
absl::StatusOr<MountsByPath> CollectVolumes(const SpecInput& input,
                                            const v1::ContainerDefinition& container,
                                            absl::string_view prefix, std::set<std::string> path) {
  path.insert(container.name());
  MountsByPath mounts;
  RETURN_IF_ERROR(AddMountPoints(input, container, prefix, &mounts));
  for (int i = 0; i < container.volumes_from_size(); ++i) {
    const v1::VolumeFrom& from = container.volumes_from(i);
    const std::string member = absl::StrCat(prefix, "volumesFrom[", i, "]");
    const v1::ContainerDefinition* source = FindContainer(input.task, from.source_container());
    if (source == nullptr || path.count(source->name()) > 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(member, ".sourceContainer: '", from.source_container(), "' is ",
                       source == nullptr ? "no container of the task"
                                         : "the container itself or takes volumes from it"));
    }
    ASSIGN_OR_RETURN(MountsByPath taken,
                     CollectVolumes(input, *source, absl::StrCat(member, "."), path));
    for (auto& [destination, mount] : taken) {
      if (from.read_only()) mount.options.back() = "ro";
      mounts.emplace(destination, std::move(mount));  // existing mounts win
    }
  }
  return mounts;
}

// The kernel's and Docker's flags for a new tmpfs. Flags that make it another kind of mount or
// propagate it are not allowed: bind, rbind, remount, shared, slave and similar.
bool IsTmpfsOption(absl::string_view option) {
  static constexpr absl::string_view kFlags[] = {
      "defaults", "ro",         "rw",          "suid",          "nosuid",   "dev",
      "nodev",    "exec",       "noexec",      "sync",          "async",    "dirsync",
      "mand",     "nomand",     "atime",       "noatime",       "diratime", "nodiratime",
      "relatime", "norelatime", "strictatime", "nostrictatime", "private",  "rprivate"};
  static constexpr absl::string_view kWithValue[] = {
      "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks=", "mpol="};
  if (option.find_first_of(", ") != absl::string_view::npos) return false;
  return std::find(std::begin(kFlags), std::end(kFlags), option) != std::end(kFlags) ||
         std::any_of(std::begin(kWithValue), std::end(kWithValue),
                     [option](absl::string_view name) { return absl::StartsWith(option, name); });
}

absl::StatusOr<Mount> TmpfsMount(const v1::Tmpfs& tmpfs, absl::string_view member) {
  ASSIGN_OR_RETURN(
      std::string destination,
      CleanDestination(tmpfs.container_path(), absl::StrCat(member, ".containerPath")));
  if (tmpfs.size() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(member, ".size: ", tmpfs.size(), " MiB is below 1"));
  }
  // Docker's defaults; options of the definition follow them and so win.
  Mount mount{std::move(destination), "tmpfs", "tmpfs", {"noexec", "nosuid", "nodev", "rprivate"}};
  mount.options.push_back(absl::StrCat("size=", int64_t{tmpfs.size()} * 1024, "k"));
  for (int i = 0; i < tmpfs.mount_options_size(); ++i) {
    const std::string& option = tmpfs.mount_options(i);
    const std::string option_member = absl::StrCat(member, ".mountOptions[", i, "]");
    RETURN_IF_ERROR(CheckNoNul(option, option_member));
    if (!IsTmpfsOption(option)) {
      return absl::InvalidArgumentError(
          absl::StrCat(option_member, ": '", option, "' is not a tmpfs option"));
    }
    if (option != "defaults") mount.options.push_back(option);
  }
  return mount;
}

absl::StatusOr<MountsByPath> DefinitionMounts(const SpecInput& input) {
  ASSIGN_OR_RETURN(MountsByPath mounts, CollectVolumes(input, input.container, "", {}));
  for (int i = 0; i < input.container.linux_parameters().tmpfs_size(); ++i) {
    const std::string member = absl::StrCat("linuxParameters.tmpfs[", i, "]");
    ASSIGN_OR_RETURN(Mount mount, TmpfsMount(input.container.linux_parameters().tmpfs(i), member));
    RETURN_IF_ERROR(AddOnce(std::move(mount), member, &mounts));
  }
  for (const std::string& volume : input.image.volumes) {
    const auto folder = input.place.image_volumes.find(volume);
    if (folder == input.place.image_volumes.end()) continue;
    ASSIGN_OR_RETURN(const std::string destination,
                     CleanDestination(volume, "the image's volumes"));
    mounts.emplace(destination, BindMount(folder->second, destination, false));
  }
  if (!input.place.gpu_ids.empty()) {
    for (const auto& [path, source] : input.host.gpu_mounts) {
      mounts.emplace(path, BindMount(source, path, true));
    }
  }
  for (const auto& [path, source] : input.place.secret_files) {
    const std::string member = absl::StrCat("secret file ", path);
    ASSIGN_OR_RETURN(const std::string destination, CleanDestination(path, member));
    RETURN_IF_ERROR(AddOnce(BindMount(source, destination, true), member, &mounts));
  }
  if (RunsUnderInit(input)) {
    mounts.emplace(kInitInContainer, BindMount(input.host.init_path, kInitInContainer, true));
  }
  return mounts;
}

// The files that the agent provides. Like Docker's, they are read-only if the root file system is.
// With the host's network they may be the host's own files, which no container may change.
std::vector<Mount> AgentFiles(const SpecInput& input) {
  const bool read_only = input.container.readonly_root_filesystem() || !HasOwnNetwork(input);
  const std::pair<const std::string&, const char*> files[] = {
      {input.place.resolv_conf_path, "/etc/resolv.conf"},
      {input.place.hostname_path, "/etc/hostname"},
      {input.place.hosts_path, "/etc/hosts"}};
  std::vector<Mount> mounts;
  for (const auto& [source, destination] : files) {
    if (!source.empty()) mounts.push_back(BindMount(source, destination, read_only));
  }
  return mounts;
}

bool IsReplaced(const Mount& mount, const MountsByPath& by) {
  return by.count(mount.destination) > 0 ||
         (by.count("/dev") > 0 && absl::StartsWith(mount.destination, "/dev/"));
}

nlohmann::json ToJson(const Mount& mount) {
  return {{"destination", mount.destination},
          {"type", mount.type},
          {"source", mount.source},
          {"options", mount.options}};
}

}  // namespace

absl::StatusOr<nlohmann::json> BuildMounts(const SpecInput& input) {
  ASSIGN_OR_RETURN(std::vector<Mount> mounts, DefaultMounts(input));
  ASSIGN_OR_RETURN(const MountsByPath definition_mounts, DefinitionMounts(input));
  const std::vector<Mount> files = AgentFiles(input);
  mounts.insert(mounts.end(), files.begin(), files.end());
  nlohmann::json json = nlohmann::json::array();
  for (const Mount& mount : mounts) {
    if (!IsReplaced(mount, definition_mounts)) json.push_back(ToJson(mount));
  }
  // Sorted by path, "/a" comes before "/a/b", so inner mounts follow outer ones.
  for (const auto& [destination, mount] : definition_mounts) json.push_back(ToJson(mount));
  return json;
}

}  // namespace davit::spec
