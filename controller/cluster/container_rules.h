#ifndef DAVIT_CONTROLLER_CLUSTER_CONTAINER_RULES_H_
#define DAVIT_CONTROLLER_CLUSTER_CONTAINER_RULES_H_

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "davit/v1/ecs.pb.h"

namespace davit::cluster {

// The rules for one container definition of `request` (task_definition_rules.h). `path` is
// "containerDefinitions[2]".
void CheckContainer(const v1::RegisterTaskDefinitionRequest& request,
                    const v1::ContainerDefinition& container, const std::string& path,
                    std::vector<std::string>* problems);

// The rules for resourceRequirements, of a container definition or of an override at `path`, which
// may be of these types. GPUs are asked for once, by a whole number.
void CheckResourceRequirements(
    const google::protobuf::RepeatedPtrField<v1::ResourceRequirement>& requirements,
    const std::string& path, std::initializer_list<absl::string_view> types,
    std::vector<std::string>* problems);

// Rules between containers: names, essential ones, host ports, links, volumesFrom, the order of
// dependsOn.
void CheckContainersTogether(const v1::RegisterTaskDefinitionRequest& request,
                             std::vector<std::string>* problems);

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_CONTAINER_RULES_H_
