#ifndef DAVIT_AGENT_SECRET_AWS_CLIENT_H_
#define DAVIT_AGENT_SECRET_AWS_CLIENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/secret/aws_credentials.h"

namespace davit::secret {

// [aws] of agent.toml.
struct AwsOptions {
  std::string region;            // empty: do not use AWS
  std::string credentials_file;  // format of ~/.aws/credentials; empty: the EC2 instance role
  std::string imds_endpoint;     // of the instance metadata service
  // Empty: https://SERVICE.REGION.amazonaws.com.
  std::string s3_endpoint;
  std::string secrets_manager_endpoint;
  std::string ssm_endpoint;
};

// The three AWS calls that a task definition can require, signed with Signature Version 4.
// Thread-safe. Calls block on the network: use a pool. Each call reads the credentials again, so
// that rotated ones work at once; nothing is cached. Codes. FailedPrecondition: the agent is not
// configured for AWS; the message says what to set. NotFound: no such object. PermissionDenied: the
// credentials do not allow it. Unavailable, DeadlineExceeded: retry. No error contains a value.
class AwsClient {
 public:
  explicit AwsClient(AwsOptions options) : options_(std::move(options)) {}

  // S3 GetObject, at most `max_bytes`; a larger one is InvalidArgument.
  absl::StatusOr<std::string> GetObject(const std::string& bucket, const std::string& key,
                                        size_t max_bytes) const;
  // Secrets Manager GetSecretValue: SecretString. `version_stage` and `version_id` may be empty.
  absl::StatusOr<std::string> GetSecretValue(const std::string& region,
                                             const std::string& secret_id,
                                             const std::string& version_stage,
                                             const std::string& version_id) const;
  // Systems Manager GetParameter, decrypted.
  absl::StatusOr<std::string> GetParameter(const std::string& region,
                                           const std::string& name) const;

 private:
  struct Call;
  absl::StatusOr<AwsCredentials> Credentials() const;
  absl::StatusOr<std::string> Perform(const Call& call) const;
  std::string Endpoint(const std::string& configured, const std::string& service,
                       const std::string& region) const;

  const AwsOptions options_;
};

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_AWS_CLIENT_H_
