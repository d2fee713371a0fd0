#ifndef DAVIT_CONTROLLER_API_OPERATIONS_H_
#define DAVIT_CONTROLLER_API_OPERATIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "controller/loop/loop.h"

namespace davit::api {

// The table of operations: one row each. A row reads the JSON body, hands the request to the loop
// and waits for the answer.
using Handler = absl::StatusOr<loop::Answer> (*)(loop::Loop* loop, absl::string_view body);

// Null: not built. Pure.
Handler FindOperation(absl::string_view name);
// Whether ECS has an operation of this name.
bool IsEcsOperation(absl::string_view name);

}  // namespace davit::api

#endif  // DAVIT_CONTROLLER_API_OPERATIONS_H_
