#ifndef DAVIT_CONTROLLER_CLUSTER_TASK_MERGE_H_
#define DAVIT_CONTROLLER_CLUSTER_TASK_MERGE_H_

#include "controller/cluster/state.h"
#include "davit/v1/agent.pb.h"

namespace davit::cluster {

// A task's record with an agent's observation taken in. Nothing goes backwards: statuses merge by
// max(), times and exit codes that are known stay when the observation lacks them. `now` (epoch
// seconds) stands in for times that a STOPPED observation lacks. `revision` may be null.
v1::StoredTask Merge(v1::StoredTask record, const v1::TaskState& seen, const Revision* revision,
                     double now);

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_TASK_MERGE_H_
