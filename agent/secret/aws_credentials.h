#ifndef DAVIT_AGENT_SECRET_AWS_CREDENTIALS_H_
#define DAVIT_AGENT_SECRET_AWS_CREDENTIALS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::secret {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // for temporary credentials; else empty
  friend bool operator==(const AwsCredentials&, const AwsCredentials&) = default;
};

// Parses the profile "default" of a file in the format of ~/.aws/credentials. InvalidArgument: it
// lacks aws_access_key_id or aws_secret_access_key. No error contains the text.
absl::StatusOr<AwsCredentials> ParseCredentialsFile(absl::string_view text);

// Fetches the credentials of the EC2 instance role from the instance metadata service (version 2)
// at `endpoint`. Blocks at most a few seconds. NotFound: the instance has no role. Unavailable,
// DeadlineExceeded: no metadata service.
absl::StatusOr<AwsCredentials> FetchRoleCredentials(const std::string& endpoint);

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_AWS_CREDENTIALS_H_
