#ifndef DAVIT_AGENT_SUPERVISOR_HEALTH_CHECK_H_
#define DAVIT_AGENT_SUPERVISOR_HEALTH_CHECK_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/runtime/runtime.h"
#include "agent/task/task_action.h"
#include "davit/v1/task.pb.h"

namespace davit::supervisor {

// The command that checks a container's health, as ECS's healthCheck has it: "CMD" and its
// arguments, or "CMD-SHELL" and a line for the container's shell. All checks of a container have
// one exec id: they follow one another.
runtime::ExecSpec HealthCommandOf(const std::string& container_id, const v1::HealthCheck& check);

// What the command's end says: passed if it exited with 0; failed if with another code, not in time
// (as in Docker), or if it cannot be started; not answered if the runtime cannot be reached or the
// container does not run.
task::HealthChecked HealthAnswerOf(const task::CheckHealth& check,
                                   const absl::StatusOr<runtime::ExecResult>& result);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_HEALTH_CHECK_H_
