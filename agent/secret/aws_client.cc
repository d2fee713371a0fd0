#include "agent/secret/aws_client.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/file.h"
#include "base/http_client.h"
#include "base/status.h"

namespace davit::secret {

// One signed exchange.
struct AwsClient::Call {
  std::string service;  // for the signature: "s3", "secretsmanager", "ssm"
  std::string region;
  std::string what;  // for messages: "GetSecretValue of arn:..."
  std::string url;
  std::string target;  // X-Amz-Target: a JSON 1.1 call; empty: a GET
  std::string body;
  size_t max_bytes = 1U << 20;
};

namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(30);

// Keeps RFC 3986's unreserved characters and '/', because S3 signs the path as it is sent.
std::string EncodePath(absl::string_view path) {
  std::string encoded;
  for (const char c : path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-._~/", c)) {
      encoded.push_back(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

// The name of an AWS error: __type in JSON services, <Code> in S3.
std::string ErrorName(const std::string& body) {
  const nlohmann::json answer = nlohmann::json::parse(body, nullptr, false);
  if (answer.is_object() && answer.contains("__type") && answer["__type"].is_string()) {
    const std::string type = answer["__type"].get<std::string>();
    return type.substr(type.find('#') == std::string::npos ? 0 : type.find('#') + 1);
  }
  const size_t begin = body.find("<Code>");
  const size_t end = body.find("</Code>");
  return begin == std::string::npos || end == std::string::npos || end < begin
             ? ""
             : body.substr(begin + 6, end - begin - 6);
}

absl::StatusCode CodeOf(int status, const std::string& error) {
  if (status >= 500 || status == 429 || absl::StrContains(error, "Throttl")) {
    return absl::StatusCode::kUnavailable;
  }
  if (status == 404 || absl::StrContains(error, "NotFound")) return absl::StatusCode::kNotFound;
  return absl::StatusCode::kPermissionDenied;
}

absl::StatusOr<std::string> StringAt(const std::string& text,
                                     const nlohmann::json::json_pointer& at,
                                     absl::string_view what) {
  const nlohmann::json answer = nlohmann::json::parse(text, nullptr, false);
  if (!answer.is_object() || !answer.contains(at) || !answer[at].is_string()) {
    return absl::NotFoundError(absl::StrCat(what, ": the response has no text"));
  }
  return answer[at].get<std::string>();
}

}  // namespace

std::string AwsClient::Endpoint(const std::string& configured, const std::string& service,
                                const std::string& region) const {
  return configured.empty() ? absl::StrCat("https://", service, ".", region, ".amazonaws.com")
                            : configured;
}

absl::StatusOr<AwsCredentials> AwsClient::Credentials() const {
  if (options_.region.empty()) {
    return absl::FailedPreconditionError(
        "the agent is not configured for AWS: set aws.region, and aws.credentials_file unless the "
        "EC2 "
        "instance has a role");
  }
  if (options_.credentials_file.empty()) {
    absl::StatusOr<AwsCredentials> role = FetchRoleCredentials(options_.imds_endpoint);
    if (role.ok()) return role;
    return Annotate(role.status(), "the instance's role (aws.credentials_file is not set)");
  }
  ASSIGN_OR_RETURN(const std::string text, ReadFile(options_.credentials_file),
                   "aws.credentials_file");
  absl::StatusOr<AwsCredentials> credentials = ParseCredentialsFile(text);
  if (credentials.ok()) return credentials;
  return Annotate(credentials.status(), options_.credentials_file);
}

absl::StatusOr<std::string> AwsClient::Perform(const Call& call) const {
  ASSIGN_OR_RETURN(const AwsCredentials credentials, Credentials(), call.what);
  HttpRequest request;
  request.url = call.url;
  request.timeout = kCallTimeout;
  request.max_redirects = 0;  // a signature is valid for one URL
  request.max_body_bytes = call.max_bytes;
  request.sigv4 = HttpSigV4{credentials.access_key_id, credentials.secret_access_key,
                            credentials.session_token, call.region, call.service};
  if (!call.target.empty()) {
    request.method = "POST";
    request.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                       {"X-Amz-Target", call.target}};
    request.body = call.body;
  }
  const absl::StatusOr<HttpResponse> response = Fetch(request);
  if (response.status().code() == absl::StatusCode::kResourceExhausted) {
    return absl::InvalidArgumentError(
        absl::StrCat(call.what, ": larger than ", call.max_bytes, " bytes"));
  }
  RETURN_IF_ERROR(response.status(), call.what);
  if (response->status == 200) return response->body;
  const std::string error = ErrorName(response->body);
  return absl::Status(CodeOf(response->status, error),
                      absl::StrCat(call.what, ": HTTP ", response->status, " ", error));
}

absl::StatusOr<std::string> AwsClient::GetObject(const std::string& bucket, const std::string& key,
                                                 size_t max_bytes) const {
  Call call{"s3", options_.region, absl::StrCat("s3://", bucket, "/", key), "", "", "", max_bytes};
  call.url = absl::StrCat(Endpoint(options_.s3_endpoint, "s3", options_.region), "/",
                          EncodePath(bucket), "/", EncodePath(key));
  return Perform(call);
}

absl::StatusOr<std::string> AwsClient::GetSecretValue(const std::string& region,
                                                      const std::string& secret_id,
                                                      const std::string& version_stage,
                                                      const std::string& version_id) const {
  const std::string used = region.empty() ? options_.region : region;
  nlohmann::json body{{"SecretId", secret_id}};
  if (!version_stage.empty()) body["VersionStage"] = version_stage;
  if (!version_id.empty()) body["VersionId"] = version_id;
  const Call call{"secretsmanager",
                  used,
                  absl::StrCat("GetSecretValue of ", secret_id),
                  Endpoint(options_.secrets_manager_endpoint, "secretsmanager", used) + "/",
                  "secretsmanager.GetSecretValue",
                  body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
  ASSIGN_OR_RETURN(const std::string answer, Perform(call));
  return StringAt(answer, nlohmann::json::json_pointer("/SecretString"), call.what);
}

absl::StatusOr<std::string> AwsClient::GetParameter(const std::string& region,
                                                    const std::string& name) const {
  const std::string used = region.empty() ? options_.region : region;
  const nlohmann::json body{{"Name", name}, {"WithDecryption", true}};
  const Call call{"ssm",
                  used,
                  absl::StrCat("GetParameter of ", name),
                  Endpoint(options_.ssm_endpoint, "ssm", used) + "/",
                  "AmazonSSM.GetParameter",
                  body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
  ASSIGN_OR_RETURN(const std::string answer, Perform(call));
  return StringAt(answer, nlohmann::json::json_pointer("/Parameter/Value"), call.what);
}

}  // namespace davit::secret
