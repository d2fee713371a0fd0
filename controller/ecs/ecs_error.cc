#include "controller/ecs/ecs_error.h"

#include <optional>

#include "absl/strings/cord.h"

namespace davit::controller::ecs {
namespace {

constexpr char kPayload[] = "davit/ecs-exception";

}  // namespace

absl::Status EcsError(absl::string_view exception, absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kPayload, absl::Cord(exception));
  return status;
}

absl::Status ClientException(absl::string_view message) {
  return EcsError("ClientException", message);
}

absl::Status InvalidParameter(absl::string_view message) {
  return EcsError("InvalidParameterException", message);
}

absl::Status ClusterNotFound() {
  return EcsError("ClusterNotFoundException", "Cluster not found.");
}

std::string ExceptionName(const absl::Status& status) {
  if (const auto payload = status.GetPayload(kPayload)) return std::string(*payload);
  if (absl::IsResourceExhausted(status)) return "ThrottlingException";
  return absl::IsInvalidArgument(status) ? "InvalidParameterException" : "ServerException";
}

}  // namespace davit::controller::ecs
