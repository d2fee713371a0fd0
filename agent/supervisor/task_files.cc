#include "agent/supervisor/task_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/spec/docker_volume.h"
#include "agent/supervisor/tmpfs.h"
#include "agent/task/container_id.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

// The host's resolv.conf without name servers on loopback, which are unreachable from a container
// with its own network.
std::string ResolvConf() {
  absl::StatusOr<std::string> host = ReadFile("/etc/resolv.conf");
  std::string text;
  if (!host.ok()) return text;
  for (absl::string_view line : absl::StrSplit(*host, '\n', absl::SkipWhitespace())) {
    if (absl::StartsWith(line, "nameserver 127.") || absl::StartsWith(line, "nameserver ::1"))
      continue;
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

// Only the agent can access the folder; its files are bind-mounted into the container. ECS's
// secrets have at most 64 KiB each.
constexpr char kSecretsTmpfs[] = "mode=700,size=16m";

bool IsFileName(absl::string_view name) {
  return !name.empty() && name != "." && name != ".." && !absl::StrContains(name, '/');
}

bool IsMountedOver(const v1::ContainerDefinition& container, absl::string_view path) {
  const auto is_path = [path](const auto& mount) { return mount.container_path() == path; };
  const auto& tmpfs = container.linux_parameters().tmpfs();
  return std::any_of(container.mount_points().begin(), container.mount_points().end(), is_path) ||
         std::any_of(tmpfs.begin(), tmpfs.end(), is_path);
}

}  // namespace

std::string TaskFiles::TaskFolder(const std::string& task_id) const {
  return absl::StrCat(state_dir_, "/tasks/", task_id);
}

std::string TaskFiles::VolumeFolder(const std::string& task_id, const std::string& volume) const {
  const std::string old = absl::StrCat(TaskFolder(task_id), "/volumes/", volume);
  if (FileExists(old)) return old;
  return absl::StrCat(TaskFolder(task_id), "/volume.", task::FileNameOf(volume));
}

std::string TaskFiles::ContainerFolder(const std::string& task_id,
                                       const std::string& container) const {
  const std::string old = absl::StrCat(TaskFolder(task_id), "/", container);
  // One that is called "volumes" may have been given a folder that was not its own.
  if (container != "volumes" && FileExists(old)) return old;
  return absl::StrCat(TaskFolder(task_id), "/container.", task::FileNameOf(container));
}

absl::StatusOr<std::string> TaskFiles::MakeDockerVolume(const std::string& task_id,
                                                        const v1::Volume& volume) const {
  ASSIGN_OR_RETURN(const spec::DockerVolume docker,
                   spec::ParseDockerVolume(volume.docker_volume_configuration()));
  if (docker.kind == spec::DockerVolume::Kind::kBind) {
    if (FileExists(docker.device)) return docker.device;
    return absl::FailedPreconditionError(
        absl::StrCat("driverOpts.device ", docker.device, " does not exist on this host"));
  }
  if (docker.is_shared) {
    const std::string folder = absl::StrCat(state_dir_, "/volumes/", volume.name());
    if (!docker.autoprovision && !FileExists(folder)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the shared volume does not exist on this host: set autoprovision, or create the folder ",
          folder));
    }
    RETURN_IF_ERROR(MakeDirectories(folder, 0755));
    return folder;
  }
  const std::string folder = VolumeFolder(task_id, volume.name());
  RETURN_IF_ERROR(MakeDirectories(folder, 0755));
  if (docker.kind == spec::DockerVolume::Kind::kTmpfs)
    RETURN_IF_ERROR(MountTmpfs(folder, docker.tmpfs_options));
  return folder;
}

absl::StatusOr<std::string> TaskFiles::MakeVolume(const std::string& task_id,
                                                  const v1::Volume& volume) const {
  if (!IsFileName(volume.name()))
    return absl::InvalidArgumentError("the name is not a valid folder name");
  if (volume.has_docker_volume_configuration()) return MakeDockerVolume(task_id, volume);
  const std::string& source = volume.host().source_path();
  if (!source.empty() && !absl::StartsWith(source, "/")) {
    return absl::InvalidArgumentError(
        absl::StrCat("host.sourcePath '", source, "' is not absolute"));
  }
  const std::string folder = source.empty() ? VolumeFolder(task_id, volume.name()) : source;
  if (!FileExists(folder)) {  // a source may also be a file or device
    RETURN_IF_ERROR(MakeDirectories(folder, source.empty() ? 0777 : 0755));
  }
  return folder;
}

absl::StatusOr<std::map<std::string, std::string>> TaskFiles::MakeVolumes(
    const std::string& task_id, const v1::TaskDefinition& definition) const {
  std::map<std::string, std::string> folders;
  for (const v1::Volume& volume : definition.volumes()) {
    ASSIGN_OR_RETURN(folders[volume.name()], MakeVolume(task_id, volume), "volume '", volume.name(),
                     "'");
  }
  return folders;
}

absl::StatusOr<std::map<std::string, std::string>> TaskFiles::MakeImageVolumes(
    const std::string& task_id, const v1::ContainerDefinition& container,
    const std::vector<std::string>& paths) const {
  std::map<std::string, std::string> folders;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (IsMountedOver(container, paths[i])) continue;
    const std::string folder =
        absl::StrCat(ContainerFolder(task_id, container.name()), "/image-volumes/", i);
    RETURN_IF_ERROR(MakeDirectories(folder, 0755), "volume ", paths[i], " of the image");
    folders.emplace(paths[i], folder);
  }
  return folders;
}

absl::StatusOr<std::map<std::string, std::string>> TaskFiles::WriteSecrets(
    const std::string& task_id, const std::string& container,
    const std::map<std::string, std::string>& secrets) const {
  std::map<std::string, std::string> files;
  if (secrets.empty()) return files;
  const std::string folder = ContainerFolder(task_id, container) + "/secrets";
  RETURN_IF_ERROR(MakeDirectories(folder, 0700));
  RETURN_IF_ERROR(MountTmpfs(folder, kSecretsTmpfs));
  for (const auto& [path, text] : secrets) {
    const std::string file = absl::StrCat(folder, "/", files.size());
    RETURN_IF_ERROR(WriteFileUntilReboot(file, text, 0444), "secret file ", path);
    files.emplace(path, file);
  }
  return files;
}

absl::StatusOr<std::string> TaskFiles::MakeSharedMemory(const std::string& task_id,
                                                        int64_t size_mib) const {
  const std::string folder = TaskFolder(task_id) + "/shared.memory";
  RETURN_IF_ERROR(MakeDirectories(folder, 0755));
  RETURN_IF_ERROR(MountTmpfs(folder, absl::StrCat("mode=1777,size=", size_mib, "m")));
  return folder;
}

absl::StatusOr<std::string> TaskFiles::WriteEtc(const std::string& task_id,
                                                const std::string& container,
                                                const std::string& hostname,
                                                const std::string& ip_address) const {
  const std::string folder = ContainerFolder(task_id, container);
  RETURN_IF_ERROR(MakeDirectories(folder, 0755));
  std::string hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  if (!ip_address.empty()) absl::StrAppend(&hosts, ip_address, "\t", hostname, "\n");
  RETURN_IF_ERROR(WriteFileUntilReboot(folder + "/hosts", hosts));
  RETURN_IF_ERROR(WriteFileUntilReboot(folder + "/hostname", hostname + "\n"));
  RETURN_IF_ERROR(WriteFileUntilReboot(folder + "/resolv.conf", ResolvConf()));
  return folder;
}

std::string TaskFiles::LogFile(const std::string& task_id, const std::string& container) const {
  const std::string folder = absl::StrCat(state_dir_, "/logs/", task_id, "/");
  // As an older agent called the log of a container that still runs.
  const std::string old = absl::StrCat(folder, container, ".log");
  const std::string name = task::FileNameOf(container);
  return name != container && FileExists(old) ? old : absl::StrCat(folder, name, ".log");
}

absl::Status TaskFiles::MakeLogFolder(const std::string& task_id) const {
  return MakeDirectories(absl::StrCat(state_dir_, "/logs/", task_id), 0700);
}

absl::Status TaskFiles::MakeLog(const std::string& task_id, const std::string& container) const {
  const std::string file = LogFile(task_id, container);
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return ErrnoStatus(errno, absl::StrCat("open ", file));
  close(fd);
  return absl::OkStatus();
}

// An unreadable folder counts as empty. The next inventory finds its content.
std::vector<std::string> TaskFiles::FoldersIn(const std::string& folder) const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(absl::StrCat(state_dir_, "/", folder), error), end;
       it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status TaskFiles::RemoveTask(const std::string& task_id) const {
  RETURN_IF_ERROR(UnmountBelow(TaskFolder(task_id)));
  return RemoveAll(TaskFolder(task_id));
}

absl::Status TaskFiles::RemoveLogs(const std::string& task_id) const {
  return RemoveAll(absl::StrCat(state_dir_, "/logs/", task_id));
}

}  // namespace davit::supervisor
