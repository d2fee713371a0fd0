#include <google/protobuf/stubs/logging.h>

#include "agent/task/new_task.h"
#include "agent/task/task_record.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

// A stored record as its bytes.
int FuzzTaskRecord(const uint8_t* data, size_t size) {
  const google::protobuf::LogSilencer silence;  // it would report each string that is not UTF-8
  v1::TaskRecord record;
  if (!record.ParseFromArray(data, static_cast<int>(size))) return 0;
  static_cast<void>(task::NewTask(record.assignment(), absl::Seconds(30)));
  const auto snapshot = task::FromRecord(record, absl::Seconds(30));
  if (!snapshot.ok()) return 0;
  static_cast<void>(task::ToTaskState(record.assignment().task_arn(), *snapshot, 1));
  v1::TaskRecord again = task::ToRecord(*snapshot);
  *again.mutable_assignment() = record.assignment();
  Must(task::FromRecord(again, absl::Seconds(30)).ok());
  return 0;
}

}  // namespace davit::fuzz
