#ifndef DAVIT_AGENT_SECRET_FOLDER_SECRET_SOURCE_H_
#define DAVIT_AGENT_SECRET_FOLDER_SECRET_SOURCE_H_

#include <string>
#include <utility>

#include "agent/secret/secret_source.h"

namespace davit::secret {

// Secrets in files of the host: FOLDER/NAME holds the value, with or without one newline at its
// end, for each of PlainNames(). So a definition that names AWS secrets runs unchanged on a host
// without AWS. PermissionDenied: the file, or a folder of its path below FOLDER, may be read or
// written by group or others, or does not belong to the agent's user. InvalidArgument: larger than
// 64 KiB, ECS's limit of a secret, or no regular file. A link is never followed.
class FolderSecretSource final : public SecretSource {
 public:
  explicit FolderSecretSource(std::string folder) : folder_(std::move(folder)) {}
  absl::StatusOr<std::string> Get(const SecretReference& reference) const override;

 private:
  const std::string folder_;
};

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_FOLDER_SECRET_SOURCE_H_
