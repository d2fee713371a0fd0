#ifndef DAVIT_AGENT_SECRET_SECRET_REFERENCE_H_
#define DAVIT_AGENT_SECRET_SECRET_REFERENCE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::secret {

// The secret that a `valueFrom` names. Source: ECS data type Secret, and "Pass Secrets Manager
// secrets through Amazon ECS environment variables" of its developer guide.
struct SecretReference {
  enum class Kind {
    kSecretsManager,  // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-6chars[:KEY:STAGE:ID]
    kParameter,       // arn:aws:ssm:REGION:ACCOUNT:parameter/NAME, or NAME alone
  };
  Kind kind = Kind::kParameter;
  std::string id;      // for AWS: the ARN without KEY, STAGE and ID, or the parameter's name
  std::string region;  // empty: the agent's region
  std::string name;    // "prod/db-a1B2c3", "/prod/db"
  std::string json_key;
  std::string version_stage;
  std::string version_id;
  friend bool operator==(const SecretReference&, const SecretReference&) = default;
};

// InvalidArgument: an ARN of another service, or without a name.
absl::StatusOr<SecretReference> ParseSecretReference(absl::string_view value_from);

// Names under which the secret may be stored on a host, best first: "prod/db-a1B2c3", then
// "prod/db" without the suffix of Secrets Manager. Without a leading '/'.
std::vector<std::string> PlainNames(const SecretReference& reference);

// The value of `key` in a JSON object: a string as it is, anything else as JSON. NotFound: not an
// object, or no such key. No error contains the value.
absl::StatusOr<std::string> SelectJsonKey(const std::string& value, const std::string& key);

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_SECRET_REFERENCE_H_
