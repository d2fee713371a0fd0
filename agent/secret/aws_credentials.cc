#include "agent/secret/aws_credentials.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/http_client.h"
#include "base/status.h"

namespace davit::secret {
namespace {

constexpr absl::Duration kMetadataTimeout = absl::Seconds(2);
constexpr char kRolePath[] = "/latest/meta-data/iam/security-credentials/";

absl::StatusOr<std::string> AskMetadata(const std::string& method, const std::string& url,
                                        const std::string& header, const std::string& value) {
  HttpRequest request;
  request.method = method;
  request.url = url;
  request.headers = {{header, value}};
  request.connect_timeout = kMetadataTimeout;
  request.timeout = kMetadataTimeout;
  ASSIGN_OR_RETURN(const HttpResponse response, Fetch(request));
  if (response.status == 404) return absl::NotFoundError("the instance has no role");
  if (response.status != 200) {
    return absl::UnavailableError(
        absl::StrCat(method, " ", RedactUrl(url), ": HTTP ", response.status));
  }
  return response.body;
}

}  // namespace

absl::StatusOr<AwsCredentials> ParseCredentialsFile(absl::string_view text) {
  AwsCredentials credentials;
  bool is_default = true;  // before the first section
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      is_default = line == "[default]";
      continue;
    }
    if (!is_default) continue;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const absl::string_view name = absl::StripAsciiWhitespace(parts.first);
    const std::string value(absl::StripAsciiWhitespace(parts.second));
    if (name == "aws_access_key_id") credentials.access_key_id = value;
    if (name == "aws_secret_access_key") credentials.secret_access_key = value;
    if (name == "aws_session_token") credentials.session_token = value;
  }
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return absl::InvalidArgumentError(
        "profile [default] lacks aws_access_key_id or aws_secret_access_key");
  }
  return credentials;
}

absl::StatusOr<AwsCredentials> FetchRoleCredentials(const std::string& endpoint) {
  ASSIGN_OR_RETURN(const std::string token,
                   AskMetadata("PUT", endpoint + "/latest/api/token",
                               "X-aws-ec2-metadata-token-ttl-seconds", "60"));
  const std::string header = "X-aws-ec2-metadata-token";
  ASSIGN_OR_RETURN(const std::string roles,
                   AskMetadata("GET", endpoint + kRolePath, header, token));
  const std::string role(absl::StripAsciiWhitespace(roles.substr(0, roles.find('\n'))));
  if (role.empty()) return absl::NotFoundError("the instance has no role");
  ASSIGN_OR_RETURN(const std::string text,
                   AskMetadata("GET", absl::StrCat(endpoint, kRolePath, role), header, token));
  const nlohmann::json answer = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  AwsCredentials credentials;
  for (const auto& [name, member] : {std::pair("AccessKeyId", &credentials.access_key_id),
                                     std::pair("SecretAccessKey", &credentials.secret_access_key),
                                     std::pair("Token", &credentials.session_token)}) {
    if (!answer.is_object() || !answer.contains(name) || !answer[name].is_string()) {
      return absl::UnavailableError(
          absl::StrCat("credentials of role ", role, ": the response lacks ", name));
    }
    *member = answer[name].get<std::string>();
  }
  return credentials;
}

}  // namespace davit::secret
