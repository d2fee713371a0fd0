#ifndef DAVIT_AGENT_TASK_TASK_EVENT_H_
#define DAVIT_AGENT_TASK_TASK_EVENT_H_

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/task/task_snapshot.h"

namespace davit::task {

// How a piece of work ended.
struct Outcome {
  enum class Kind {
    kDone,
    kRetry,   // nothing is known to be wrong with the request: the same may work later
    kFailed,  // it will not work
  };
  Kind kind = Kind::kDone;
  std::string reason;  // in ECS's words, unless kDone
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// What the controller wants.
struct GoalChanged {
  Goal goal;
  std::string reason;
  v1::StopCode::Value stop_code = v1::StopCode::UNSPECIFIED;
};
// The ledger counts the task now / would never (kFailed) / makes it wait (kRetry: the reason says
// for what).
struct Admitted {
  Outcome outcome;
};
struct Provisioned {
  int attempt;
  Outcome outcome;
};
struct Pulled {
  std::string container;
  int attempt;
  Outcome outcome;
  std::string image_digest;
  int stop_signal = 15;
};
struct Created {
  std::string container;
  int attempt;
  Outcome outcome;
  std::vector<NetworkBinding> network_bindings;
};
struct Started {
  std::string container;
  int attempt;
  Outcome outcome;
  int pid = 0;
};
// The container's main process ended. A fact of the world: belongs to no attempt.
struct Exited {
  std::string container;
  int exit_code;
  bool out_of_memory = false;
  absl::Time exited_at;
  PostMortem facts = {};
};
struct Signalled {
  std::string container;
  Outcome outcome;  // kFailed: there is no such process
};
struct Deprovisioned {
  int attempt;
  Outcome outcome;
  // The ends of the containers' outputs, which are complete now that all is removed. Without those
  // that cannot be had, or may not be told.
  std::map<std::string, std::vector<std::string>> last_lines = {};
};
// A check ended.
struct Checked {
  std::string container;
  ProbeKind probe;
  int number;                         // of the Check
  std::optional<CheckResult> result;  // nullopt: the runtime did not answer, so nothing was learned
};

// One container as the runtime shows it.
struct Sighting {
  enum class State {
    kAbsent,  // no such container
    kNoTask,  // a container without a process: half created, or the host was restarted
    kCreated,
    kRunning,
    kStopped,
    kUnknown,  // the runtime could not tell in time: no news
  };
  std::string container;
  int attempt =
      0;  // of the container when the look was begun: what has happened since is news to it
  State state = State::kAbsent;
  int pid = 0;
  std::optional<int> exit_code;  // kStopped
  bool out_of_memory = false;
  absl::Time exited_at;
  PostMortem facts = {};
};
// All of the task's containers, looked at together. `same_boot` false: the host was restarted since
// the record was made.
struct Observed {
  std::vector<Sighting> sightings;
  bool same_boot = true;
};
// Somebody removed the container from the runtime: this agent, or a stranger.
struct ContainerRemoved {
  std::string container;
};
// A call that is made for this task hangs, and what it does; or it goes on, or has returned.
struct CallStuck {
  std::string what;
};
struct CallGoesOn {
  std::string what;  // of the CallStuck
};

struct TimerKey {
  enum class Kind {
    kRetry,
    kStop,          // `attempt`: how many signals had been sent
    kStartTimeout,  // `attempt`: restart_count
    kCheck,         // `attempt`: number of the check that is due
  };
  Kind kind;
  std::string container;  // empty: the task's
  int attempt;
  ProbeKind probe = ProbeKind::kLiveness;  // kCheck
  friend bool operator==(const TimerKey&, const TimerKey&) = default;
};
struct TimerFired {
  TimerKey key;
};

// Something happened, at that time.
struct Event {
  absl::Time at;  // by the wall clock
  std::variant<GoalChanged, Admitted, Provisioned, Pulled, Created, Started, Exited, Signalled,
               Deprovisioned, Checked, Observed, ContainerRemoved, CallStuck, CallGoesOn,
               TimerFired>
      what;
  // The same, since the host's boot: by a clock that nobody sets.
  absl::Duration uptime = absl::ZeroDuration();
};

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_EVENT_H_
