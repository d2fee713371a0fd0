#include "agent/image/registry_error.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::image {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxErrorBytes = 300;

std::string StringMember(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string RegistryErrorText(absl::string_view body) {
  const Json document = Json::parse(body.begin(), body.end(), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return "";
  const auto errors = document.find("errors");
  if (errors == document.end() || !errors->is_array() || errors->empty()) return "";
  const Json& first = errors->front();
  if (!first.is_object()) return "";
  const std::string code = StringMember(first, "code");
  const std::string message = StringMember(first, "message");
  if (code.empty() || message.empty()) {
    return Shorten(absl::CHexEscape(absl::StrCat(code, message)), kMaxErrorBytes);
  }
  return Shorten(absl::CHexEscape(absl::StrCat(message, " (", code, ")")), kMaxErrorBytes);
}

Failure FailureOf(const HttpRequest& request, const HttpResponse& response, absl::Time now) {
  const std::string said = RegistryErrorText(response.body);
  Failure failure{absl::Status(CodeOfHttpStatus(response.status),
                               absl::StrCat(request.method, " ", RedactUrl(request.url), ": ",
                                            response.status, said.empty() ? "" : " ", said)),
                  std::nullopt};
  const auto retry_after = response.headers.find("retry-after");
  if (retry_after != response.headers.end()) {
    failure.retry_after = ParseRetryAfter(retry_after->second, now);
  }
  return failure;
}

absl::string_view AdviceFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kNotFound:
      return "Check that the image exists.";
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return "Check that the image exists and that the host's credentials may pull it from the "
             "registry.";
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return "Check the host's network configuration and that the registry is up.";
    case absl::StatusCode::kResourceExhausted:
      return "The registry limits the rate of pulls: log in, use a mirror, or retry later.";
    case absl::StatusCode::kDataLoss:
      return "The content was damaged: push the image again.";
    default:
      return "Check the name of the image and that the registry is an OCI registry.";
  }
}

}  // namespace davit::image
