#ifndef DAVIT_AGENT_SECRET_FOLDER_SECRET_SOURCE_H_
#define DAVIT_AGENT_SECRET_FOLDER_SECRET_SOURCE_H_

#include <string>
#include <utility>

#include "agent/secret/secret_source.h"

namespace davit::secret {

// Secrets in files of the host. FOLDER/NAME holds the value, with or without a final newline; NAME
// is one of PlainNames(). So a task definition that names AWS secrets runs unchanged on a host
// without AWS. PermissionDenied: group or others may access the file or a folder of its path below
// FOLDER, or the agent's user does not own it. InvalidArgument: not a regular file, or larger than
// 64 KiB, ECS's limit. Links are never followed.
class FolderSecretSource final : public SecretSource {
 public:
  explicit FolderSecretSource(std::string folder) : folder_(std::move(folder)) {}
  absl::StatusOr<std::string> Get(const SecretReference& reference) const override;

 private:
  const std::string folder_;
};

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_FOLDER_SECRET_SOURCE_H_
