#ifndef DAVIT_AGENT_SUPERVISOR_HEALTH_CHECK_H_
#define DAVIT_AGENT_SUPERVISOR_HEALTH_CHECK_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/runtime/runtime.h"
#include "agent/task/task_action.h"
#include "davit/v1/task.pb.h"

namespace davit::supervisor {

// The command that checks a container, which its definition has a check of that kind for, as ECS's
// HealthCheck has it: "CMD" and its arguments, or "CMD-SHELL" and a line for the container's shell.
// All checks of one probe have one exec id: they follow one another, beside those of the other.
runtime::ExecSpec CheckCommandOf(const std::string& container_id,
                                 const v1::ContainerDefinition& definition, task::ProbeKind probe);

// What the command's end says: passed if it exited with 0; failed if with another code, not in time
// (as in Docker), or if it cannot be started; not answered if the runtime cannot be reached or the
// container does not run.
task::Checked CheckAnswerOf(const task::Check& check,
                            const absl::StatusOr<runtime::ExecResult>& result);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_HEALTH_CHECK_H_
