#ifndef DAVIT_AGENT_TASK_TASK_SNAPSHOT_H_
#define DAVIT_AGENT_TASK_TASK_SNAPSHOT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "davit/v1/task.pb.h"

namespace davit::task {

// What the controller wants, or what the task's own fate demands. Never goes back from kStop.
enum class Goal { kRun, kStop };

// What is known to be true of a container. Numbered for the store: never renumber.
enum class Phase {
  kNone = 0,     // nothing was made
  kPulled = 1,   // its image is unpacked (known to this process only: a restarted agent asks again)
  kCreated = 2,  // network, snapshot and waiting process exist
  kRunning = 3,
  kStopped = 4,  // it ended, or never started and never will
};

// What is being done now. The result comes as an event with the same attempt number; others are late and ignored.
// Numbered for the store: never renumber.
enum class Work {
  kNothing = 0,
  kPull = 1,
  kCreate = 2,
  kStart = 3,  // stored before it is done: after a crash or power loss such a container may have run
  kBackoff = 4,
  kAdmit = 5,        // task: waiting for room on the host
  kProvision = 6,    // task: lease, cgroup, volumes
  kDeprovision = 7,  // task: containers, networks, cgroup, lease are being removed
};

struct NetworkBinding {
  std::string bind_ip;
  int container_port = 0;
  int host_port = 0;
  std::string protocol;
  friend bool operator==(const NetworkBinding&, const NetworkBinding&) = default;
};

struct ContainerSnapshot {
  // Constant: from the task definition.
  std::string name;
  bool essential = true;
  absl::Duration stop_timeout = absl::Seconds(30);  // between the stop signal and SIGKILL

  Phase phase = Phase::kNone;
  Work work = Work::kNothing;
  int attempt = 0;   // of `work`; rises whenever work begins or is abandoned
  int failures = 0;  // of the same work in a row
  int stop_signals = 0;  // sent so far: 0 none, 1 the stop signal, 2 and more SIGKILL

  int stop_signal = 15;
  std::string image_digest;
  std::vector<NetworkBinding> network_bindings;
  int pid = 0;
  std::optional<int> exit_code;
  std::string reason;  // in ECS's words; empty if it simply ended
  std::optional<absl::Time> started_at;
  std::optional<absl::Time> finished_at;

  friend bool operator==(const ContainerSnapshot&, const ContainerSnapshot&) = default;
};

// All that the state machine knows about one task. A value: copied, compared, printed.
struct TaskSnapshot {
  std::string task_id;  // the 32 hex digits of its ARN

  Goal goal = Goal::kRun;
  bool observed = true;      // false: after a restart, until the runtime was asked what is there
  bool admitted = false;     // counted in the admission ledger
  bool owns_host_state = false;  // something was, or may have been, made on the host: must be deprovisioned
  bool provisioned = false;      // lease, cgroup and volumes are there
  bool finished = false;     // STOPPED: nothing is left but record and logs
  Work work = Work::kNothing;  // of the task as a whole
  int attempt = 0;
  int failures = 0;
  // Of all ever computed the greatest, so that what is reported never goes back.
  v1::TaskStatus::Value last_status = v1::TaskStatus::PENDING;
  std::string waiting_reason;  // why it is not further than it is
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

// The status that the snapshot amounts to. Not merged with what was reported before.
v1::TaskStatus::Value StatusOf(const TaskSnapshot& task);
v1::ContainerStatus::Value StatusOf(const ContainerSnapshot& container);

// A start was begun and its result is not known: the container may run.
inline bool StartIsUncertain(const ContainerSnapshot& container) {
  return container.phase == Phase::kCreated && container.work == Work::kBackoff;
}

ContainerSnapshot* FindContainer(TaskSnapshot* task, absl::string_view name);

absl::string_view ToString(Goal goal);
absl::string_view ToString(Phase phase);
absl::string_view ToString(Work work);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_SNAPSHOT_H_
