#ifndef DAVIT_AGENT_SUPERVISOR_PROVISIONING_H_
#define DAVIT_AGENT_SUPERVISOR_PROVISIONING_H_

#include "agent/resource/task_cgroups.h"
#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

// The limits of a task's own cgroup, by ECS's rules: task cpu is a hard quota; without it the task's weight is the sum of
// its containers' (each at least 2); task memory is a hard limit. `pids_limit` 0: none. Pure.
resource::CgroupLimits LimitsOf(const v1::Assignment& assignment, int pids_limit);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_PROVISIONING_H_
