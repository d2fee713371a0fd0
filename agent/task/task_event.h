#ifndef DAVIT_AGENT_TASK_TASK_EVENT_H_
#define DAVIT_AGENT_TASK_TASK_EVENT_H_

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/task/task_snapshot.h"

namespace davit::task {

// The outcome of a piece of work.
struct Outcome {
  enum class Kind {
    kDone,
    kRetry,   // the request may be right: a retry may succeed
    kFailed,  // a retry cannot succeed
  };
  Kind kind = Kind::kDone;
  std::string reason;  // with ECS's error name, unless kDone
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// The controller has changed the goal.
struct GoalChanged {
  Goal goal;
  std::string reason;
  v1::StopCode::Value stop_code = v1::StopCode::UNSPECIFIED;
};
// The ledger has admitted the task (kDone), refused it (kFailed), or queued it (kRetry: the reason
// says what it waits for).
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
// The container's main process has ended. A fact, so it has no attempt.
struct Exited {
  std::string container;
  int exit_code;
  bool out_of_memory = false;
  absl::Time exited_at;
  PostMortem facts = {};
};
struct Signalled {
  std::string container;
  Outcome outcome;  // kFailed: no such process
};
struct Deprovisioned {
  int attempt;
  Outcome outcome;
  // The last lines of the containers' outputs, which are complete after the removal. Without lines
  // that are unavailable or may contain secrets.
  std::map<std::string, std::vector<std::string>> last_lines = {};
};
// A check has ended.
struct Checked {
  std::string container;
  ProbeKind probe;
  int number;                         // of the Check
  std::optional<CheckResult> result;  // nullopt: the runtime did not answer
};

// One container as the runtime listed it.
struct Sighting {
  enum class State {
    kAbsent,  // no such container
    kNoTask,  // a container without a process: incomplete, or the host was restarted
    kCreated,
    kRunning,
    kStopped,
    kUnknown,  // the runtime did not know in time; not news
  };
  std::string container;
  int attempt = 0;  // the container's attempt at the start of the listing; later events are newer
  State state = State::kAbsent;
  int pid = 0;
  std::optional<int> exit_code;  // kStopped
  bool out_of_memory = false;
  absl::Time exited_at;
  PostMortem facts = {};
};
// All of the task's containers, from one listing. `same_boot` false: the host was restarted since
// the record was written.
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
    kStop,          // `attempt`: the number of signals sent
    kStartTimeout,  // `attempt`: restart_count
    kCheck,         // `attempt`: number of the due check
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

// An event and its time.
struct Event {
  absl::Time at;  // by the wall clock
  std::variant<GoalChanged, Admitted, Provisioned, Pulled, Created, Started, Exited, Signalled,
               Deprovisioned, Checked, Observed, ContainerRemoved, CallStuck, CallGoesOn,
               TimerFired>
      what;
  // The same as time since the host's boot, by a clock that nobody sets.
  absl::Duration uptime = absl::ZeroDuration();
};

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_EVENT_H_
