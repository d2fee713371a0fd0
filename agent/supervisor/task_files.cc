#include "agent/supervisor/task_files.h"

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

// The host's resolv.conf without name servers on loopback, which a container with its own network cannot reach.
std::string ResolvConf() {
  absl::StatusOr<std::string> host = ReadFile("/etc/resolv.conf");
  std::string text;
  if (!host.ok()) return text;
  for (absl::string_view line : absl::StrSplit(*host, '\n', absl::SkipWhitespace())) {
    if (absl::StartsWith(line, "nameserver 127.") || absl::StartsWith(line, "nameserver ::1")) continue;
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace

std::string TaskFiles::TaskFolder(const std::string& task_id) const {
  return absl::StrCat(state_dir_, "/tasks/", task_id);
}

absl::StatusOr<std::map<std::string, std::string>> TaskFiles::MakeVolumes(const std::string& task_id,
                                                                          const v1::TaskDefinition& definition) const {
  std::map<std::string, std::string> folders;
  for (const v1::Volume& volume : definition.volumes()) {
    const std::string& source = volume.host().source_path();
    if (!source.empty() && !absl::StartsWith(source, "/")) {
      return absl::InvalidArgumentError(
          absl::StrCat("volume ", volume.name(), ": host.sourcePath '", source, "' is not absolute"));
    }
    const std::string folder = source.empty() ? absl::StrCat(TaskFolder(task_id), "/volumes/", volume.name()) : source;
    if (!FileExists(folder)) {  // a source may also be a file or a device
      RETURN_IF_ERROR(MakeDirectories(folder, source.empty() ? 0777 : 0755), "volume ", volume.name());
    }
    folders.emplace(volume.name(), folder);
  }
  return folders;
}

absl::StatusOr<std::string> TaskFiles::WriteEtc(const std::string& task_id, const std::string& container,
                                                const std::string& hostname, const std::string& ip_address) const {
  const std::string folder = absl::StrCat(TaskFolder(task_id), "/", container);
  RETURN_IF_ERROR(MakeDirectories(folder, 0755));
  std::string hosts =
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  if (!ip_address.empty()) absl::StrAppend(&hosts, ip_address, "\t", hostname, "\n");
  RETURN_IF_ERROR(WriteFileAtomically(folder + "/hosts", hosts));
  RETURN_IF_ERROR(WriteFileAtomically(folder + "/hostname", hostname + "\n"));
  RETURN_IF_ERROR(WriteFileAtomically(folder + "/resolv.conf", ResolvConf()));
  return folder;
}

std::string TaskFiles::LogFile(const std::string& task_id, const std::string& container) const {
  return absl::StrCat(state_dir_, "/logs/", task_id, "/", container, ".log");
}

absl::Status TaskFiles::MakeLogFolder(const std::string& task_id) const {
  return MakeDirectories(absl::StrCat(state_dir_, "/logs/", task_id), 0700);
}

absl::Status TaskFiles::RemoveTask(const std::string& task_id) const { return RemoveAll(TaskFolder(task_id)); }

absl::Status TaskFiles::RemoveLogs(const std::string& task_id) const {
  return RemoveAll(absl::StrCat(state_dir_, "/logs/", task_id));
}

}  // namespace davit::supervisor
