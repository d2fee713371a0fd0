#ifndef DAVIT_AGENT_TASK_TASK_SNAPSHOT_H_
#define DAVIT_AGENT_TASK_TASK_SNAPSHOT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/task/container_snapshot.h"
#include "davit/v1/task.pb.h"

namespace davit::task {

// What the controller wants, or what the task's own state demands. Never goes back from kStop.
enum class Goal { kRun, kStop };

// Everything that the state machine knows about one task. A value: copied, compared, printed.
struct TaskSnapshot {
  std::string task_id;  // the 32 hex digits of its ARN

  Goal goal = Goal::kRun;
  bool observed = true;   // false: after a restart, until the runtime was observed
  bool admitted = false;  // counted in the admission ledger
  bool owns_host_state =
      false;  // something was or may have been created on the host: must be deprovisioned
  bool provisioned = false;    // lease, cgroup and volumes exist
  bool finished = false;       // STOPPED: only record and logs are left
  Work work = Work::kNothing;  // of the task as a whole
  int attempt = 0;
  int failures = 0;
  // The furthest status computed so far: what is reported never goes back.
  v1::TaskStatus::Value last_status = v1::TaskStatus::PENDING;
  std::string waiting_reason;  // what it waits for
  // What hangs of that which is done for it now: known to this process only.
  std::vector<std::string> stuck_calls;
  std::string stopped_reason;
  v1::StopCode::Value stop_code = v1::StopCode::UNSPECIFIED;
  std::vector<ContainerSnapshot> containers;

  std::optional<absl::Time> pull_started_at;
  std::optional<absl::Time> pull_stopped_at;
  std::optional<absl::Time> started_at;
  std::optional<absl::Time> stopping_at;
  std::optional<absl::Time> execution_stopped_at;
  std::optional<absl::Time> stopped_at;

  friend bool operator==(const TaskSnapshot&, const TaskSnapshot&) = default;
};

// Why it is not further than it is, for people: what hangs comes first. Empty: nothing is in the
// way.
std::string WaitingReasonOf(const TaskSnapshot& task);

// The status of the snapshot, not merged with earlier reports.
v1::TaskStatus::Value StatusOf(const TaskSnapshot& task);

ContainerSnapshot* FindContainer(TaskSnapshot* task, absl::string_view name);
const ContainerSnapshot* FindContainer(const TaskSnapshot& task, absl::string_view name);

absl::string_view ToString(Goal goal);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_SNAPSHOT_H_
