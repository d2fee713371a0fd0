#ifndef DAVIT_CONTROLLER_MODEL_OPERATION_H_
#define DAVIT_CONTROLLER_MODEL_OPERATION_H_

#include <google/protobuf/message.h>

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "controller/change/change.h"
#include "controller/state/view.h"

namespace davit::controller::model {

using Answer = std::shared_ptr<const google::protobuf::Message>;

// One operation of the ECS API: its name, its request message, and the one function that carries it
// out. Exactly one of `apply` and `read` is set.
struct Operation {
  absl::string_view name;
  std::unique_ptr<google::protobuf::Message> (*new_request)();
  // Of one that changes the cluster: a command of the loop.
  absl::StatusOr<Answer> (*apply)(const google::protobuf::Message& request,
                                  change::Change* change) = nullptr;
  // Of one that only reads: on any thread.
  absl::StatusOr<Answer> (*read)(const google::protobuf::Message& request,
                                 const state::View& view) = nullptr;
};

// Null: not built. operations.cc has the table.
const Operation* FindOperation(absl::string_view name);
// Whether ECS has it, built here or not.
bool IsEcsOperation(absl::string_view name);

}  // namespace davit::controller::model

#endif  // DAVIT_CONTROLLER_MODEL_OPERATION_H_
