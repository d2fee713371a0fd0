#ifndef DAVIT_AGENT_SUPERVISOR_TASK_FILES_H_
#define DAVIT_AGENT_SUPERVISOR_TASK_FILES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

// Folders and files of tasks below the agent's state folder:
//   volumes/VOLUME                                   shared Docker volumes; nothing removes them
//   tasks/TASK/shared.memory                         on a tmpfs
//   tasks/TASK/volume.VOLUME                         volumes of the task
//   tasks/TASK/container.CONTAINER/image-volumes/N   those that the image declares
//   tasks/TASK/container.CONTAINER/secrets/N         on a tmpfs
//   tasks/TASK/container.CONTAINER/{hosts,hostname,resolv.conf}  bound over those of the image
//   logs/TASK/CONTAINER.log                          kept until the task's record is cleaned up
// Names that users choose have a prefix of their kind, and are shortened (task::FileNameOf): a
// container and a volume never share a folder. What an older agent made for a task that still runs
// (tasks/TASK/volumes/VOLUME, tasks/TASK/CONTAINER) is used on.
// Thread-safe. Calls block on the disk.
class TaskFiles {
 public:
  explicit TaskFiles(std::string state_dir) : state_dir_(std::move(state_dir)) {}

  // Creates the task's volumes: host folders (created if missing, as in Docker), Docker volumes and
  // ephemeral ones. Returns name -> folder. InvalidArgument: an invalid name, a relative
  // sourcePath, or a Docker volume that spec::ParseDockerVolume() refuses. FailedPrecondition: a
  // required folder does not exist.
  absl::StatusOr<std::map<std::string, std::string>> MakeVolumes(
      const std::string& task_id, const v1::TaskDefinition& definition) const;
  // Creates a folder for each volume of the image that the definition does not cover. Returns path
  // in the container -> folder.
  absl::StatusOr<std::map<std::string, std::string>> MakeImageVolumes(
      const std::string& task_id, const v1::ContainerDefinition& container,
      const std::vector<std::string>& paths) const;
  // Writes secrets (path in the container -> text) to files in memory that every user of the
  // container can read. Returns path in the container -> file.
  absl::StatusOr<std::map<std::string, std::string>> WriteSecrets(
      const std::string& task_id, const std::string& container,
      const std::map<std::string, std::string>& secrets) const;
  // Creates the shared /dev/shm of the task's containers, in memory. Returns its folder.
  absl::StatusOr<std::string> MakeSharedMemory(const std::string& task_id, int64_t size_mib) const;
  // Writes the three files for a container with its own network namespace. Returns their folder.
  absl::StatusOr<std::string> WriteEtc(const std::string& task_id, const std::string& container,
                                       const std::string& hostname,
                                       const std::string& ip_address) const;
  std::string LogFile(const std::string& task_id, const std::string& container) const;
  absl::Status MakeLogFolder(const std::string& task_id) const;
  // Makes the container's log, empty, unless it is there: davit-logger has nobody to tell that it
  // cannot.
  absl::Status MakeLog(const std::string& task_id, const std::string& container) const;

  // The names of the folders below tasks/ and logs/, normally task ids.
  std::vector<std::string> TaskFolders() const { return FoldersIn("tasks"); }
  std::vector<std::string> LogFolders() const { return FoldersIn("logs"); }

  // Removes everything except the logs. OK if there is nothing.
  absl::Status RemoveTask(const std::string& task_id) const;
  absl::Status RemoveLogs(const std::string& task_id) const;

 private:
  absl::StatusOr<std::string> MakeVolume(const std::string& task_id,
                                         const v1::Volume& volume) const;
  absl::StatusOr<std::string> MakeDockerVolume(const std::string& task_id,
                                               const v1::Volume& volume) const;
  std::string TaskFolder(const std::string& task_id) const;
  std::string VolumeFolder(const std::string& task_id, const std::string& volume) const;
  std::string ContainerFolder(const std::string& task_id, const std::string& container) const;
  std::vector<std::string> FoldersIn(const std::string& folder) const;
  const std::string state_dir_;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TASK_FILES_H_
