#ifndef DAVIT_AGENT_SUPERVISOR_PAUSE_H_
#define DAVIT_AGENT_SUPERVISOR_PAUSE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "agent/runtime/runtime.h"
#include "agent/spec/oci_spec.h"

namespace davit::supervisor {

// The container that holds the shared namespaces of a task's containers (spec/pause.h). For the
// runtime it is a normal container: it outlives the agent, has labels, and Remove() removes it. The
// task's state machine does not know about it. Calls block: use the `runtime` pool.

// "<task>-davit.pause".
std::string PauseIdOf(const std::string& task_id);

struct PausePlace {
  std::string task_id;
  std::string lease;
  std::map<std::string, std::string> labels;  // like those of the task's containers
  std::string oci_spec_json;                  // spec::BuildPauseSpec()
};
// Starts the pause container. OK if it runs already.
absl::Status StartPause(runtime::Runtime* runtime, const PausePlace& place);

// The pid of its process in the host's namespace; /proc/PID/ns has the namespaces.
// FailedPrecondition: it has ended, and its namespaces with it.
absl::StatusOr<int> FindPausePid(runtime::Runtime* runtime, const std::string& task_id);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_PAUSE_H_
