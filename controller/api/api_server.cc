#include "controller/api/api_server.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/ids.h"
#include "base/json_decoder.h"
#include "base/json_encoder.h"
#include "base/log.h"
#include "base/status.h"
#include "controller/ecs/ecs_error.h"

namespace davit::controller::api {
namespace {

using google::protobuf::Message;

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

// {"__type":"ClusterNotFoundException","message":"Cluster not found."}
std::string EncodeError(absl::string_view exception, absl::string_view message) {
  std::string body = "{\"__type\":";
  AppendJsonString(exception, &body);
  body += ",\"message\":";
  AppendJsonString(message, &body);
  return body + "}";
}

absl::Status UnknownOperation(absl::string_view target) {
  absl::string_view name = target;
  if (absl::ConsumePrefix(&name, kTargetPrefix) && model::IsEcsOperation(name)) {
    return ecs::EcsError("UnsupportedFeatureException",
                         absl::StrCat(name, " is not supported by this controller."));
  }
  return ecs::EcsError(
      "UnknownOperationException",
      target.empty() ? "X-Amz-Target is missing." : absl::StrCat("Unknown operation: ", target));
}

// InvalidParameterException names every member that is unknown or of the wrong type.
absl::StatusOr<std::shared_ptr<const Message>> Decode(const model::Operation& operation,
                                                      absl::string_view body) {
  std::shared_ptr<Message> request = operation.new_request();
  std::vector<std::string> problems = DecodeJson(body, request.get());
  if (problems.size() == 1 && absl::StartsWith(problems.front(), "not JSON"))
    return ecs::EcsError("SerializationException", problems.front());
  if (problems.empty()) return request;
  const std::string text = absl::StrJoin(problems, "\n");
  // As ECS does: what is wrong with a task definition is always a ClientException.
  return operation.name == "RegisterTaskDefinition" ? ecs::ClientException(text)
                                                    : ecs::InvalidParameter(text);
}

}  // namespace

void ApiServer::Handle(HttpServerRequest request, HttpResponder respond) {
  if (request.path == "/" && request.method == "POST")
    return HandleOperation(request, std::move(respond));
  if (request.path == "/metrics" && request.method == "GET")
    return respond(PlainText(200, metrics_.Serialize()));
  if (request.path == "/healthz" && request.method == "GET") {
    const absl::Status health = loop_->Health();
    return respond(health.ok() ? PlainText(200, "ok\n")
                               : PlainText(503, absl::StrCat(health.message(), "\n")));
  }
  respond(
      PlainText(404, "not found: POST / is the ECS API; there are also /metrics and /healthz\n"));
}

absl::StatusOr<const model::Operation*> ApiServer::FindOperation(const HttpServerRequest& request,
                                                                 const std::string& target) const {
  if (!keys_.empty()) RETURN_IF_ERROR(VerifySignature(request, keys_, clock_->Now()));
  const model::Operation* operation =
      absl::StartsWith(target, kTargetPrefix)
          ? model::FindOperation(absl::StripPrefix(target, kTargetPrefix))
          : nullptr;
  if (operation == nullptr) return UnknownOperation(target);
  return operation;
}

void ApiServer::HandleOperation(const HttpServerRequest& request, HttpResponder respond) {
  const std::string target = Header(request, "x-amz-target");
  const std::string name(absl::StripPrefix(target, kTargetPrefix));
  Call call{model::IsEcsOperation(name) ? name : "unknown", RandomUuid(), clock_->Monotonic(),
            std::move(respond)};
  const absl::StatusOr<const model::Operation*> operation = FindOperation(request, target);
  if (!operation.ok()) return Finish(std::move(call), operation.status());
  auto decoded = Decode(**operation, request.body);
  if (!decoded.ok()) return Finish(std::move(call), decoded.status());
  if ((*operation)->read != nullptr)
    return Finish(std::move(call), (*operation)->read(**decoded, loop_->view()));
  loop_->Submit(
      model::CommandOf(*operation, *std::move(decoded)),
      [this, call = std::move(call)](absl::StatusOr<model::Answer> answer) mutable {
        encoders_->Post([this, call = std::move(call), answer = std::move(answer)]() mutable {
          Finish(std::move(call), answer);
        });
      });
}

void ApiServer::Finish(Call call, const absl::StatusOr<model::Answer>& answer) {
  HttpServerResponse response;
  response.content_type = kContentType;
  response.headers["x-amzn-RequestId"] = call.request_id;
  std::string code = "OK";
  if (answer.ok()) {
    response.body = EncodeJson(**answer);
  } else {
    code = ecs::ExceptionName(answer.status());
    response.status = HttpStatus(code);
    response.body = EncodeError(code, answer.status().message());
    if (response.status >= 500) {
      LogError("API request failed", {{"operation", call.operation},
                                      {"request_id", call.request_id},
                                      {"error", answer.status()}});
    }
  }
  metrics_.CountRequest(call.operation, code, clock_->Monotonic() - call.start);
  call.respond(std::move(response));
}

}  // namespace davit::controller::api
