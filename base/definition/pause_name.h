#ifndef DAVIT_BASE_DEFINITION_PAUSE_NAME_H_
#define DAVIT_BASE_DEFINITION_PAUSE_NAME_H_

namespace davit {

// The name of the agent's own container that holds the namespaces shared by a task's containers,
// like ECS's pause container. No definition can use this name, because ECS's names have no dots.
inline constexpr char kPauseContainer[] = "davit.pause";

}  // namespace davit

#endif  // DAVIT_BASE_DEFINITION_PAUSE_NAME_H_
