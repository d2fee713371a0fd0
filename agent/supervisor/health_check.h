#ifndef DAVIT_AGENT_SUPERVISOR_HEALTH_CHECK_H_
#define DAVIT_AGENT_SUPERVISOR_HEALTH_CHECK_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/runtime/runtime.h"
#include "agent/task/task_action.h"
#include "davit/v1/task.pb.h"

namespace davit::supervisor {

// The command of a container's check in the form of ECS's HealthCheck: "CMD" and arguments, or
// "CMD-SHELL" and a line for the container's shell. The definition must have a check of that kind.
// All checks of one probe use one exec id, because they follow one another; the two probes run side
// by side.
runtime::ExecSpec CheckCommandOf(const std::string& container_id,
                                 const v1::ContainerDefinition& definition, task::ProbeKind probe);

// The result of a check from its command. Passed: exit code 0. Failed: another exit code, a timeout
// (as in Docker), or the command cannot start. No answer: the runtime is unreachable or the
// container does not run.
task::Checked CheckAnswerOf(const task::Check& check,
                            const absl::StatusOr<runtime::ExecResult>& result);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_HEALTH_CHECK_H_
