#ifndef DAVIT_AGENT_TASK_TASK_SNAPSHOT_H_
#define DAVIT_AGENT_TASK_TASK_SNAPSHOT_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/task/post_mortem.h"
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

// What is being done now. The result comes as an event with the same attempt number; others are
// late and ignored. Numbered for the store: never renumber.
enum class Work {
  kNothing = 0,
  kPull = 1,
  kCreate = 2,
  kStart =
      3,  // stored before it is done: after a crash or power loss such a container may have run
  kBackoff = 4,
  kAdmit = 5,        // task: waiting for room on the host
  kProvision = 6,    // task: lease, cgroup, volumes
  kDeprovision = 7,  // task: containers, networks, cgroup, lease are being removed
};

// When a container that depends on another may be created: ECS's dependsOn conditions.
enum class Condition {
  kStart,     // the other was started
  kComplete,  // it ran and ended
  kSuccess,   // it ran and ended with exit code 0
  kHealthy,   // it is HEALTHY (HealthOf)
};

struct Dependency {
  std::string container;
  Condition condition = Condition::kStart;
  friend bool operator==(const Dependency&, const Dependency&) = default;
};

// ECS's restartPolicy: a container that ran for at least `attempt_period` is started again in place
// when it ends with an exit code that is not ignored.
struct RestartPolicy {
  bool enabled = false;
  std::vector<int> ignored_exit_codes;
  absl::Duration attempt_period = absl::Seconds(300);
  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
};

// When a check is made and what its ends amount to. What is run is the effects' business.
struct HealthCheck {
  absl::Duration interval = absl::Seconds(30);
  int retries = 3;              // consecutive failures that are believed
  absl::Duration start_period;  // failures this soon after the start do not count
  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

// Numbered for the store: never renumber.
enum class Health { kUnknown = 0, kHealthy = 1, kUnhealthy = 2 };

// What a running container is asked again and again. Numbered for the store: never renumber.
enum class ProbeKind {
  kLiveness = 0,   // ECS's healthCheck: is it alive?
  kReadiness = 1,  // Davit's readiness check: may it have traffic? Comes and goes, and ends nothing
};

// How one check ended.
struct CheckResult {
  std::optional<int> exit_code;          // nullopt: it did not end in time, or could not be started
  std::string output;                    // its last words
  absl::Time at = absl::InfinitePast();  // when it was heard of
  friend bool operator==(const CheckResult&, const CheckResult&) = default;
};

struct Probe {
  HealthCheck check;  // constant: from the task definition

  Health health = Health::kUnknown;  // in this life; for readiness: ready, not ready
  int failures = 0;                  // in a row, counted up to `retries`
  int number = 0;  // of checks begun in all lives, so that late answers count for nothing
  std::vector<CheckResult> results;  // the last few, also of earlier lives; the latest is last
  friend bool operator==(const Probe&, const Probe&) = default;
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
  std::vector<Dependency> depends_on;
  // How long others wait for it to complete or to become healthy once it was started.
  absl::Duration start_timeout = absl::InfiniteDuration();
  RestartPolicy restart_policy;

  Phase phase = Phase::kNone;
  Work work = Work::kNothing;
  int attempt = 0;           // of `work`; rises whenever work begins or is abandoned
  int failures = 0;          // of the same work in a row
  bool has_remains = false;  // of a creation that was cut short: cleared away before the next
  int stop_signals = 0;      // sent so far: 0 none, 1 the stop signal, 2 and more SIGKILL

  int stop_signal = 15;
  std::string image_digest;
  std::vector<NetworkBinding> network_bindings;
  int pid = 0;
  std::optional<int> exit_code;
  // In ECS's words, without the last lines of its output; empty if it ended with 0 or as asked.
  std::string reason;
  std::optional<PostMortem> post_mortem;  // of the latest life that ended
  std::optional<absl::Time> started_at;   // of the current or last life
  // The same, since the host's boot. nullopt: nobody saw it start, or an older agent's record.
  std::optional<absl::Duration> started_uptime;
  std::optional<absl::Time> finished_at;
  int restart_count = 0;              // lives before this one
  bool start_timed_out = false;       // start_timeout passed before what others wait for came true
  bool was_healthy = false;           // in this life: HealthOf() may come and go
  std::map<ProbeKind, Probe> probes;  // those that the task definition asks for

  friend bool operator==(const ContainerSnapshot&, const ContainerSnapshot&) = default;
};

// All that the state machine knows about one task. A value: copied, compared, printed.
struct TaskSnapshot {
  std::string task_id;  // the 32 hex digits of its ARN

  Goal goal = Goal::kRun;
  bool observed = true;   // false: after a restart, until the runtime was asked what is there
  bool admitted = false;  // counted in the admission ledger
  bool owns_host_state =
      false;  // something was, or may have been, made on the host: must be deprovisioned
  bool provisioned = false;    // lease, cgroup and volumes are there
  bool finished = false;       // STOPPED: nothing is left but record and logs
  Work work = Work::kNothing;  // of the task as a whole
  int attempt = 0;
  int failures = 0;
  // Of all ever computed the greatest, so that what is reported never goes back.
  v1::TaskStatus::Value last_status = v1::TaskStatus::PENDING;
  std::string waiting_reason;  // why it is not further than it is
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

// The status that the snapshot amounts to. Not merged with what was reported before.
v1::TaskStatus::Value StatusOf(const TaskSnapshot& task);
v1::ContainerStatus::Value StatusOf(const ContainerSnapshot& container);

// A start was begun and its result is not known: the container may run.
inline bool StartIsUncertain(const ContainerSnapshot& container) {
  return container.phase == Phase::kCreated && container.work == Work::kBackoff;
}

// False: nobody has asked for the start of its current life.
inline bool MayHaveRun(const ContainerSnapshot& container) {
  return container.phase >= Phase::kRunning || container.work == Work::kStart ||
         StartIsUncertain(container);
}

ContainerSnapshot* FindContainer(TaskSnapshot* task, absl::string_view name);
const ContainerSnapshot* FindContainer(const TaskSnapshot& task, absl::string_view name);

// ECS's healthStatus: UNHEALTHY if it is not alive; HEALTHY if it is alive and ready, as far as it
// is asked; else, or if it is asked nothing, UNKNOWN, for which nobody ends a task.
Health HealthOf(const ContainerSnapshot& container);

absl::string_view ToString(Goal goal);
absl::string_view ToString(Phase phase);
absl::string_view ToString(Work work);
absl::string_view ToString(Health health);   // HEALTHY, UNHEALTHY, UNKNOWN
absl::string_view ToString(ProbeKind kind);  // liveness, readiness

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_SNAPSHOT_H_
