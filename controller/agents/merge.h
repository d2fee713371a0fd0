#ifndef DAVIT_CONTROLLER_AGENTS_MERGE_H_
#define DAVIT_CONTROLLER_AGENTS_MERGE_H_

#include "davit/v1/agent.pb.h"
#include "davit/v1/cluster_record.pb.h"

namespace davit::controller::agents {

// A task's record with an agent's observation merged in. Nothing goes backwards: statuses merge by
// max(), times and exit codes that are known stay when the observation lacks them, numbers that are
// no status are ignored. `now` (milliseconds since 1970) stands in for times that a STOPPED
// observation lacks. Pure.
v1::StoredTask Merge(v1::StoredTask record, const v1::TaskState& seen, int64_t now);

// Whether `after` must be durable before the report is acknowledged: it says that the task or one
// of its containers runs, or how one ended. Agents report everything else again in each new
// session.
bool MustBeDurable(const v1::StoredTask& before, const v1::StoredTask& after);

}  // namespace davit::controller::agents

#endif  // DAVIT_CONTROLLER_AGENTS_MERGE_H_
