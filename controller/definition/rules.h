#ifndef DAVIT_CONTROLLER_DEFINITION_RULES_H_
#define DAVIT_CONTROLLER_DEFINITION_RULES_H_

#include <string>
#include <vector>

#include "davit/v1/ecs.pb.h"

namespace davit::controller::definition {

// What a task definition must be, by the ECS API reference. Problems are sentences that begin with
// the member they are about ("containerDefinitions[0].name: ..."); where ECS has a text of its own,
// that is used. Pure.

// Every problem of the request; empty: it can be registered.
std::vector<std::string> FindProblems(const v1::RegisterTaskDefinitionRequest& request);

// The definition as it is kept and answered: defaults filled in, cpu and memory as plain numbers,
// requiresAttributes and compatibilities computed. Without ARN, revision and times. `request` has
// no problems.
v1::TaskDefinition Normalize(const v1::RegisterTaskDefinitionRequest& request);

}  // namespace davit::controller::definition

#endif  // DAVIT_CONTROLLER_DEFINITION_RULES_H_
