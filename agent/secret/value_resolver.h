#ifndef DAVIT_AGENT_SECRET_VALUE_RESOLVER_H_
#define DAVIT_AGENT_SECRET_VALUE_RESOLVER_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/secret/aws_client.h"
#include "agent/secret/secret_source.h"
#include "davit/v1/task.pb.h"

namespace davit::secret {

// Values that a container definition names and the agent fetches. They are only in memory, and
// never logged, stored or reported. They exist while a container is created; supervisor::Task keeps
// the secrets longer, to remove them from the container's last lines of output.
struct ResolvedValues {
  std::map<std::string, std::string> file_environment;  // from environmentFiles
  std::map<std::string, std::string> secrets;           // for the environment
  std::map<std::string, std::string> secret_files;      // path in the container -> text
};

// The dockerLabel "davit.secret-file.NAME": "/run/secrets/x" passes the secret NAME to the
// container as that file, in memory, instead of as a variable.
inline constexpr char kSecretFileLabel[] = "davit.secret-file.";

// Fetches environment files and secrets of containers. Thread-safe; blocks on disk and network: use
// a pool. Borrows its sources; the first source that has a secret wins.
class ValueResolver {
 public:
  ValueResolver(const AwsClient* aws, std::vector<const SecretSource*> sources)
      : aws_(aws), sources_(std::move(sources)) {}

  static bool IsNeeded(const v1::ContainerDefinition& container,
                       const v1::ContainerOverride& overrides);
  // An override's environmentFiles replace the definition's; of two files the earlier wins. A
  // secret that a container names twice (with two JSON keys) is fetched once. Codes are
  // SecretSource's and FetchEnvironmentFile's. Messages name the member, say what to do, and begin
  // with "ResourceInitializationError: ".
  absl::StatusOr<ResolvedValues> Resolve(const v1::ContainerDefinition& container,
                                         const v1::ContainerOverride& overrides) const;

 private:
  absl::StatusOr<std::string> GetSecret(const std::string& value_from,
                                        std::map<std::string, std::string>* fetched) const;
  absl::Status AddSecrets(const v1::ContainerDefinition& container, ResolvedValues* values) const;

  const AwsClient* const aws_;
  const std::vector<const SecretSource*> sources_;
};

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_VALUE_RESOLVER_H_
