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

// What a container's definition names and the agent must fetch. Held in memory only: for as long as
// a container is created, the secrets for as long as it may have output that tells them
// (supervisor::Task); never logged, stored or reported.
struct ResolvedValues {
  std::map<std::string, std::string> file_environment;  // from environmentFiles
  std::map<std::string, std::string> secrets;           // for the environment
  std::map<std::string, std::string> secret_files;      // path in the container -> text
};

// A dockerLabel "davit.secret-file.NAME": "/run/secrets/x" gives the secret NAME to the container
// as that file, in memory, instead of as a variable.
inline constexpr char kSecretFileLabel[] = "davit.secret-file.";

// Fetches environment files and secrets of containers. Thread-safe; blocks on disk and network: use
// from a pool. Borrows its sources, which are asked in their order, first hit wins.
class ValueResolver {
 public:
  ValueResolver(const AwsClient* aws, std::vector<const SecretSource*> sources)
      : aws_(aws), sources_(std::move(sources)) {}

  static bool IsNeeded(const v1::ContainerDefinition& container,
                       const v1::ContainerOverride& overrides);
  // An override's environmentFiles replace the definition's; of two files the earlier wins. A
  // secret that the same container asks for twice (by two JSON keys) is fetched once. Codes as
  // SecretSource's and FetchEnvironmentFile's. Messages say which member and what to do, and begin
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
