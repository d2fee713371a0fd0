#ifndef DAVIT_CONTROLLER_DEFINITION_READS_H_
#define DAVIT_CONTROLLER_DEFINITION_READS_H_

#include "absl/status/statusor.h"
#include "controller/state/view.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::definition {

// Thread-safe.
absl::StatusOr<v1::DescribeTaskDefinitionResponse> Read(
    const v1::DescribeTaskDefinitionRequest& request, const state::View& view);
absl::StatusOr<v1::ListTaskDefinitionsResponse> Read(const v1::ListTaskDefinitionsRequest& request,
                                                     const state::View& view);
absl::StatusOr<v1::ListTaskDefinitionFamiliesResponse> Read(
    const v1::ListTaskDefinitionFamiliesRequest& request, const state::View& view);

}  // namespace davit::controller::definition

#endif  // DAVIT_CONTROLLER_DEFINITION_READS_H_
