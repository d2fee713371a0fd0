#ifndef DAVIT_BASE_DEFINITION_CONTAINER_CHECKS_H_
#define DAVIT_BASE_DEFINITION_CONTAINER_CHECKS_H_

#include <string>
#include <vector>

#include "davit/v1/task.pb.h"

namespace davit {

// The two checks that may run in a container again and again: liveness and readiness. Both programs
// read them from the task definition with these functions. Pure.

// Liveness: ECS's healthCheck. Docker's "NONE", which disables the image's check, means no check.
bool HasHealthCheck(const v1::ContainerDefinition& container);

// Readiness: may the container receive traffic? ECS has no such member, so this dockerLabel holds
// the JSON of a HealthCheck. The definition stays valid in ECS.
inline constexpr char kReadinessCheckLabel[] = "davit.readiness-check";
bool HasReadinessCheck(const v1::ContainerDefinition& container);

// Reads the readiness check. Its defaults differ from healthCheck's, so that traffic comes and goes
// quickly: the shortest interval that ECS allows, and one retry. Returns the problems, each with
// label, member and correct range. `check` is complete only if there are none; it is empty if the
// container has no such label.
std::vector<std::string> ReadReadinessCheck(const v1::ContainerDefinition& container,
                                            v1::HealthCheck* check);

// Checks ECS's limits. A problem reads "interval: must be in 5..300, is 3."
std::vector<std::string> FindCheckProblems(const v1::HealthCheck& check);

}  // namespace davit

#endif  // DAVIT_BASE_DEFINITION_CONTAINER_CHECKS_H_
