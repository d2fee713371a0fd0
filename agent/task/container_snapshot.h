#ifndef DAVIT_AGENT_TASK_CONTAINER_SNAPSHOT_H_
#define DAVIT_AGENT_TASK_CONTAINER_SNAPSHOT_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/task/post_mortem.h"
#include "agent/task/probe.h"
#include "davit/v1/task.pb.h"

namespace davit::task {

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

// Not merged with what was reported before.
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

// ECS's healthStatus: UNHEALTHY if it is not alive; HEALTHY if it is alive and ready, as far as it
// is asked; else, or if it is asked nothing, UNKNOWN, for which nobody ends a task.
Health HealthOf(const ContainerSnapshot& container);

absl::string_view ToString(Phase phase);
absl::string_view ToString(Work work);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_CONTAINER_SNAPSHOT_H_
