#ifndef DAVIT_AGENT_TASK_TASK_RECORD_H_
#define DAVIT_AGENT_TASK_TASK_RECORD_H_

#include "absl/status/statusor.h"
#include "agent/task/task_snapshot.h"
#include "davit/v1/agent.pb.h"
#include "davit/v1/record.pb.h"

namespace davit::task {

// The snapshot as it is stored. assignment, boot_id, sequence and terminal_acked are the caller's.
v1::TaskRecord ToRecord(const TaskSnapshot& task);

// The snapshot of a stored task: of `record.assignment` what is constant, the rest from the record.
// InvalidArgument: the record is not one (names what is wrong).
absl::StatusOr<TaskSnapshot> FromRecord(const v1::TaskRecord& record,
                                        absl::Duration default_stop_timeout);

// What the controller is told. `sequence` rises with each call for the task.
v1::TaskState ToTaskState(const std::string& task_arn, const TaskSnapshot& task, uint64_t sequence);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_RECORD_H_
