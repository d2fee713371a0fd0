#ifndef DAVIT_CONTROLLER_ECS_ECS_ERROR_H_
#define DAVIT_CONTROLLER_ECS_ECS_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace davit::controller::ecs {

// An error of the management API: a status that carries the exception's name. The message is for
// the user. `exception` is an ECS exception name other than ServerException.
absl::Status EcsError(absl::string_view exception, absl::string_view message);
absl::Status ClientException(absl::string_view message);
absl::Status InvalidParameter(absl::string_view message);
absl::Status ClusterNotFound();

// The exception's name. For statuses that EcsError() did not make: InvalidArgument is
// InvalidParameterException, ResourceExhausted is ThrottlingException (clients wait and try again),
// all others are ServerException.
std::string ExceptionName(const absl::Status& status);

}  // namespace davit::controller::ecs

#endif  // DAVIT_CONTROLLER_ECS_ECS_ERROR_H_
