#ifndef DAVIT_AGENT_SUPERVISOR_TASK_LABELS_H_
#define DAVIT_AGENT_SUPERVISOR_TASK_LABELS_H_

#include <map>
#include <string>

#include "agent/supervisor/task.h"

namespace davit::supervisor {

// The labels of a task's lease and of its containers, by which a later agent finds them. `agent`:
// whose they are ("davit.agent").
inline std::map<std::string, std::string> LabelsOf(const Task& task, const std::string& agent) {
  return {{"davit.task-arn", task.arn()},
          {"davit.cluster", task.assignment().cluster()},
          {"davit.agent", agent}};
}

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TASK_LABELS_H_
