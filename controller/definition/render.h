#ifndef DAVIT_CONTROLLER_DEFINITION_RENDER_H_
#define DAVIT_CONTROLLER_DEFINITION_RENDER_H_

#include "controller/state/arn.h"

namespace davit::controller::definition {

// The task definition as the API shows it.
v1::TaskDefinition Render(const state::Place& place, const v1::StoredTaskDefinition& record);

}  // namespace davit::controller::definition

#endif  // DAVIT_CONTROLLER_DEFINITION_RENDER_H_
