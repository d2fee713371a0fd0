#ifndef DAVIT_CONTROLLER_DEFINITION_OPERATIONS_H_
#define DAVIT_CONTROLLER_DEFINITION_OPERATIONS_H_

#include "absl/status/statusor.h"
#include "controller/change/change.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::definition {

// ClientException names every problem of the definition (rules.h).
absl::StatusOr<v1::RegisterTaskDefinitionResponse> Apply(
    const v1::RegisterTaskDefinitionRequest& request, change::Change* change);
// Idempotent.
absl::StatusOr<v1::DeregisterTaskDefinitionResponse> Apply(
    const v1::DeregisterTaskDefinitionRequest& request, change::Change* change);

}  // namespace davit::controller::definition

#endif  // DAVIT_CONTROLLER_DEFINITION_OPERATIONS_H_
