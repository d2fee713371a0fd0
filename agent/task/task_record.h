#ifndef DAVIT_AGENT_TASK_TASK_RECORD_H_
#define DAVIT_AGENT_TASK_TASK_RECORD_H_

#include "absl/status/statusor.h"
#include "agent/task/task_snapshot.h"
#include "davit/v1/agent.pb.h"
#include "davit/v1/record.pb.h"

namespace davit::task {

// The stored form of a snapshot. The caller sets assignment, boot_id, sequence and terminal_acked.
v1::TaskRecord ToRecord(const TaskSnapshot& task);

// The snapshot of a stored task: its constant part from `record.assignment`, the rest from the
// record. InvalidArgument: the record is invalid; the message says why.
absl::StatusOr<TaskSnapshot> FromRecord(const v1::TaskRecord& record,
                                        absl::Duration default_stop_timeout);

// The state to report to the controller. `sequence` must rise with each call for the task.
v1::TaskState ToTaskState(const std::string& task_arn, const TaskSnapshot& task, uint64_t sequence);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_RECORD_H_
