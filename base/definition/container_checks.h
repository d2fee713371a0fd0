#ifndef DAVIT_BASE_DEFINITION_CONTAINER_CHECKS_H_
#define DAVIT_BASE_DEFINITION_CONTAINER_CHECKS_H_

#include <string>
#include <vector>

#include "davit/v1/task.pb.h"

namespace davit {

// The two questions that a container may be asked again and again while it runs, as both programs
// read them in its definition. Pure.

// Is it alive? ECS's healthCheck. Docker's "NONE", which switches off the image's check, is none.
bool HasHealthCheck(const v1::ContainerDefinition& container);

// May it have traffic? Beyond ECS: the JSON of a HealthCheck in this dockerLabel, so that the
// definition stays one of ECS's.
inline constexpr char kReadinessCheckLabel[] = "davit.readiness-check";
bool HasReadinessCheck(const v1::ContainerDefinition& container);

// The readiness check, with its own defaults: traffic shall neither come nor go much later than it
// could, so it is asked as often as ECS allows and believed at once. Returns the problems, each
// with the label, the member and what would be right; `check` is complete only if there are none,
// and empty if the container has no such label.
std::vector<std::string> ReadReadinessCheck(const v1::ContainerDefinition& container,
                                            v1::HealthCheck* check);

// What is wrong with a check by ECS's limits: "interval: must be in 5..300, is 3."
std::vector<std::string> FindCheckProblems(const v1::HealthCheck& check);

}  // namespace davit

#endif  // DAVIT_BASE_DEFINITION_CONTAINER_CHECKS_H_
