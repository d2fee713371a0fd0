#ifndef DAVIT_AGENT_SECRET_ENVIRONMENT_FILE_H_
#define DAVIT_AGENT_SECRET_ENVIRONMENT_FILE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/secret/aws_client.h"

namespace davit::secret {

// The variables of an environment file, by ECS's rules: one NAME=VALUE per line; the value is what
// follows the first '=', with its spaces and quotes; a line that begins with '#' is a comment; a
// line without '=', or with nothing before or behind it, is left out. The last of two equal names
// counts. Source: "Pass an environment variable file" of ECS's developer guide, and its agent.
std::map<std::string, std::string> ParseEnvironmentFile(absl::string_view text);

// Fetches the text that environmentFiles[].value names:
//   arn:aws:s3:::BUCKET/KEY      from S3, through `aws`
//   https://HOST/PATH, http://   from a web server
//   file:///PATH                 from the host
// At most 1 MiB. InvalidArgument: none of these, or larger. Others as AwsClient's. Blocks.
absl::StatusOr<std::string> FetchEnvironmentFile(const std::string& value, const AwsClient& aws);

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_ENVIRONMENT_FILE_H_
