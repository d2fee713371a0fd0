#ifndef DAVIT_AGENT_SUPERVISOR_INHERITANCE_H_
#define DAVIT_AGENT_SUPERVISOR_INHERITANCE_H_

#include "agent/supervisor/host_inventory.h"
#include "agent/task/task_snapshot.h"
#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

// A task that an agent whose memory is lost has begun: what of it may have run is never started a
// second time. Pure.

// What the host holds of the task: each container there may have run.
void Inherit(const HostTask& begun, task::TaskSnapshot* snapshot);

// What the controller has heard of, whether the host holds anything of it or not. False: that is
// nothing.
bool InheritFromController(const v1::Assignment& assignment, task::TaskSnapshot* snapshot);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_INHERITANCE_H_
