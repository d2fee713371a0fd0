#ifndef DAVIT_AGENT_SECRET_ENVIRONMENT_FILE_H_
#define DAVIT_AGENT_SECRET_ENVIRONMENT_FILE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/secret/aws_client.h"

namespace davit::secret {

// Parses an environment file by ECS's rules. Each line is NAME=VALUE; the value is everything after
// the first '=', including spaces and quotes. A line that begins with '#' is a comment. A line
// without '=', NAME or VALUE is skipped. If a name occurs twice, the last value counts. Source:
// "Pass an environment variable file" of ECS's developer guide, and its agent.
std::map<std::string, std::string> ParseEnvironmentFile(absl::string_view text);

// Fetches the text that environmentFiles[].value names:
//   arn:aws:s3:::BUCKET/KEY      from S3, through `aws`
//   https://HOST/PATH, http://   from a web server
//   file:///PATH                 from the host
// At most 1 MiB. InvalidArgument: none of these forms, or larger. Other codes are AwsClient's.
// Blocks.
absl::StatusOr<std::string> FetchEnvironmentFile(const std::string& value, const AwsClient& aws);

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_ENVIRONMENT_FILE_H_
