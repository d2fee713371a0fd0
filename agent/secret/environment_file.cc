#include "agent/secret/environment_file.h"

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/http_client.h"
#include "base/status.h"

namespace davit::secret {
namespace {

constexpr size_t kMaxBytes = 1U << 20;
constexpr absl::Duration kTimeout = absl::Seconds(30);

absl::Status TooLarge(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": larger than ", kMaxBytes, " bytes"));
}

absl::StatusOr<std::string> FetchFromWeb(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.timeout = kTimeout;
  request.max_body_bytes = kMaxBytes;
  const absl::StatusOr<HttpResponse> response = Fetch(request);
  if (response.status().code() == absl::StatusCode::kResourceExhausted) {
    return TooLarge(RedactUrl(url));
  }
  RETURN_IF_ERROR(response.status());
  if (response->status == 200) return response->body;
  const bool can_change = response->status >= 500 || response->status == 429;
  return absl::Status(can_change ? absl::StatusCode::kUnavailable : absl::StatusCode::kNotFound,
                      absl::StrCat("GET ", RedactUrl(url), ": HTTP ", response->status));
}

absl::StatusOr<std::string> ReadFromHost(const std::string& path) {
  std::error_code error;
  // A device or FIFO could be endless.
  if (FileExists(path) && !std::filesystem::is_regular_file(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  }
  if (FileExists(path) && std::filesystem::file_size(path, error) > kMaxBytes)
    return TooLarge(path);
  return ReadFile(path);
}

}  // namespace

std::map<std::string, std::string> ParseEnvironmentFile(absl::string_view text) {
  std::map<std::string, std::string> variables;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::ConsumeSuffix(&line, "\r");
    const size_t equals = line.find('=');
    if (absl::StartsWith(line, "#") || equals == absl::string_view::npos || equals == 0 ||
        equals + 1 == line.size()) {
      continue;
    }
    variables[std::string(line.substr(0, equals))] = std::string(line.substr(equals + 1));
  }
  return variables;
}

absl::StatusOr<std::string> FetchEnvironmentFile(const std::string& value, const AwsClient& aws) {
  absl::string_view rest = value;
  if (absl::ConsumePrefix(&rest, "file://") && absl::StartsWith(rest, "/")) {
    return ReadFromHost(std::string(rest));
  }
  if (absl::StartsWith(value, "https://") || absl::StartsWith(value, "http://")) {
    return FetchFromWeb(value);
  }
  const std::vector<std::string> parts = absl::StrSplit(value, absl::MaxSplits(':', 5));
  if (parts.size() == 6 && parts[0] == "arn" && parts[2] == "s3") {
    const std::pair<std::string, std::string> object =
        absl::StrSplit(parts[5], absl::MaxSplits('/', 1));
    if (!object.first.empty() && !object.second.empty()) {
      return aws.GetObject(object.first, object.second, kMaxBytes);
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "'", RedactUrl(value), "' is not arn:aws:s3:::BUCKET/KEY, https://... or file:///..."));
}

}  // namespace davit::secret
