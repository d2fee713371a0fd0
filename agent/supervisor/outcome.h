#ifndef DAVIT_AGENT_SUPERVISOR_OUTCOME_H_
#define DAVIT_AGENT_SUPERVISOR_OUTCOME_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/task/task_event.h"

namespace davit::supervisor {

// Done, retry or failed, by the status' code; the reason begins with `error_name`
// ("CannotStartContainerError") unless the message names an error itself. Pure.
task::Outcome ToOutcome(const absl::Status& status, absl::string_view error_name);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_OUTCOME_H_
