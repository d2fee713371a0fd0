#ifndef DAVIT_AGENT_SUPERVISOR_PAUSE_H_
#define DAVIT_AGENT_SUPERVISOR_PAUSE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "agent/runtime/runtime.h"
#include "agent/spec/oci_spec.h"

namespace davit::supervisor {

// The container that holds the namespaces which a task's containers share (spec/pause.h). To the
// runtime it is one like any other: it outlives the agent, is found by its labels, and goes by
// Remove() of its id. To the task's machine it does not exist. Calls block: `runtime` pool.

// "<task>-davit.pause".
std::string PauseIdOf(const std::string& task_id);

struct PausePlace {
  std::string task_id;
  std::string lease;
  std::map<std::string, std::string> labels;  // of a container of the task
  std::string oci_spec_json;                  // spec::BuildPauseSpec()
};
// Has it run: OK if it does.
absl::Status StartPause(runtime::Runtime* runtime, const PausePlace& place);

// The pid of its process in the host's namespace: /proc/PID/ns has the namespaces.
// FailedPrecondition: it has ended, and with it what it held.
absl::StatusOr<int> FindPausePid(runtime::Runtime* runtime, const std::string& task_id);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_PAUSE_H_
