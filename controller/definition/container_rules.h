#ifndef DAVIT_CONTROLLER_DEFINITION_CONTAINER_RULES_H_
#define DAVIT_CONTROLLER_DEFINITION_CONTAINER_RULES_H_

#include <string>
#include <vector>

#include "davit/v1/ecs.pb.h"

namespace davit::controller::definition {

// The rules for one container definition of `request` (rules.h). `path` is
// "containerDefinitions[2]".
void CheckContainer(const v1::RegisterTaskDefinitionRequest& request,
                    const v1::ContainerDefinition& container, const std::string& path,
                    std::vector<std::string>* problems);

// Rules between containers: names, essential ones, host ports, links, volumesFrom, the order of
// dependsOn.
void CheckContainersTogether(const v1::RegisterTaskDefinitionRequest& request,
                             std::vector<std::string>* problems);

}  // namespace davit::controller::definition

#endif  // DAVIT_CONTROLLER_DEFINITION_CONTAINER_RULES_H_
