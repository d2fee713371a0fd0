#ifndef DAVIT_AGENT_SUPERVISOR_TASK_REMOVAL_H_
#define DAVIT_AGENT_SUPERVISOR_TASK_REMOVAL_H_

#include <string>
#include <vector>

#include "agent/supervisor/host_inventory.h"
#include "agent/supervisor/post_mortem.h"
#include "agent/supervisor/task.h"

namespace davit::supervisor {

// The last phase of a task. Thread-safe; blocks: on a pool only.
class TaskRemoval {
 public:
  TaskRemoval(const HostParts& host, const PostMortems* post_mortems)
      : host_(host), post_mortems_(post_mortems) {}

  // Removes all that the task has on the host, and reads the ends of its containers' outputs. Never
  // kFailed: nothing may be left behind, so it is tried again whatever is in the way.
  task::Deprovisioned Deprovision(Task* task, const std::vector<std::string>& containers,
                                  int attempt) const;
  // Removes what the host holds by this task's id, in the order in which nothing can come back:
  // processes, networks, cgroup, files, and the lease that held the snapshots. OK if gone.
  absl::Status RemoveFromHost(const std::string& task_id,
                              const std::vector<std::string>& containers) const;

 private:
  const HostParts host_;
  const PostMortems* const post_mortems_;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TASK_REMOVAL_H_
