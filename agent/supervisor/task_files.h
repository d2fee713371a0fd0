#ifndef DAVIT_AGENT_SUPERVISOR_TASK_FILES_H_
#define DAVIT_AGENT_SUPERVISOR_TASK_FILES_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

// Folders and files of tasks below the agent's state folder:
//   tasks/<task>/volumes/<volume>                        ephemeral volumes
//   tasks/<task>/<container>/{hosts,hostname,resolv.conf}  bound over those of the image
//   logs/<task>/<container>.log                          kept until the task's record is cleaned up
// Thread-safe. Calls block on the disk.
class TaskFiles {
 public:
  explicit TaskFiles(std::string state_dir) : state_dir_(std::move(state_dir)) {}

  // Makes the task's volumes: host folders (made if missing, as Docker does) and ephemeral ones. Returns name -> folder.
  // InvalidArgument: a sourcePath that is not absolute.
  absl::StatusOr<std::map<std::string, std::string>> MakeVolumes(const std::string& task_id,
                                                                 const v1::TaskDefinition& definition) const;
  // Writes the three files for a container with its own network namespace. Returns their folder.
  absl::StatusOr<std::string> WriteEtc(const std::string& task_id, const std::string& container,
                                       const std::string& hostname, const std::string& ip_address) const;
  std::string LogFile(const std::string& task_id, const std::string& container) const;
  absl::Status MakeLogFolder(const std::string& task_id) const;

  // All but the logs. OK if gone.
  absl::Status RemoveTask(const std::string& task_id) const;
  absl::Status RemoveLogs(const std::string& task_id) const;

 private:
  std::string TaskFolder(const std::string& task_id) const;
  const std::string state_dir_;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TASK_FILES_H_
