#include "controller/api/api_server.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/status.h"
#include "controller/api/json_encoder.h"
#include "controller/api/operations.h"
#include "controller/cluster/ecs_error.h"

namespace davit::api {
namespace {

constexpr char kContentType[] = "application/x-amz-json-1.1";
constexpr char kTargetPrefix[] = "AmazonEC2ContainerServiceV20141113.";

std::string Header(const HttpServerRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

HttpServerResponse PlainText(int status, std::string body) {
  return {status, "text/plain; version=0.0.4; charset=utf-8", std::move(body), {}};
}

// 500 only for what may go away by itself: clients retry those.
int HttpStatus(const std::string& exception) { return exception == "ServerException" ? 500 : 400; }

absl::Status UnknownOperation(absl::string_view target) {
  absl::string_view name = target;
  if (absl::ConsumePrefix(&name, kTargetPrefix) && IsEcsOperation(name)) {
    return cluster::EcsError("UnsupportedFeatureException",
                             absl::StrCat(name, " is not supported by this controller."));
  }
  return cluster::EcsError(
      "UnknownOperationException",
      target.empty() ? "X-Amz-Target is missing." : absl::StrCat("Unknown operation: ", target));
}

}  // namespace

HttpServerResponse ApiServer::Handle(const HttpServerRequest& request) {
  if (request.path == "/" && request.method == "POST") return HandleOperation(request);
  if (request.path == "/metrics" && request.method == "GET") return HandleMetrics();
  if (request.path == "/healthz" && request.method == "GET") {
    return metrics_.Serialize().ok() ? PlainText(200, "ok\n")
                                     : PlainText(503, "the loop does not answer\n");
  }
  return PlainText(404, "not found: POST / is the ECS API; there are also /metrics and /healthz\n");
}

HttpServerResponse ApiServer::HandleMetrics() {
  absl::StatusOr<std::string> text = metrics_.Serialize();
  if (!text.ok()) return PlainText(503, absl::StrCat(text.status().message(), "\n"));
  return PlainText(200, *std::move(text));
}

absl::StatusOr<loop::Answer> ApiServer::Answer(const HttpServerRequest& request,
                                               const std::string& target) {
  if (!keys_.empty()) RETURN_IF_ERROR(VerifySignature(request, keys_, clock_->Now()));
  const Handler handler = FindOperation(absl::StripPrefix(target, kTargetPrefix));
  if (handler == nullptr || !absl::StartsWith(target, kTargetPrefix))
    return UnknownOperation(target);
  return handler(loop_, request.body);
}

HttpServerResponse ApiServer::HandleOperation(const HttpServerRequest& request) {
  const absl::Duration start = clock_->Monotonic();
  const std::string target = Header(request, "x-amz-target");
  const absl::StatusOr<loop::Answer> answer = Answer(request, target);

  HttpServerResponse response;
  response.content_type = kContentType;
  const std::string request_id = RandomUuid();
  response.headers["x-amzn-RequestId"] = request_id;
  std::string code = "OK";
  if (answer.ok()) {
    response.body = EncodeJson(**answer);
  } else {
    code = cluster::ExceptionName(answer.status());
    response.status = HttpStatus(code);
    response.body = EncodeError(code, answer.status().message());
    if (response.status >= 500) {
      LogError("API request failed",
               {{"target", target}, {"request_id", request_id}, {"error", answer.status()}});
    }
  }
  // Names that clients make up must not become labels.
  const std::string operation(absl::StripPrefix(target, kTargetPrefix));
  metrics_.CountRequest(IsEcsOperation(operation) ? operation : "unknown", code,
                        clock_->Monotonic() - start);
  return response;
}

}  // namespace davit::api
