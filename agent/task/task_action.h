#ifndef DAVIT_AGENT_TASK_TASK_ACTION_H_
#define DAVIT_AGENT_TASK_TASK_ACTION_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "agent/task/task_event.h"

namespace davit::task {

// Write the snapshot to the store. The actions behind it in the same step wait until it is durable.
struct Persist {
  friend bool operator==(const Persist&, const Persist&) = default;
};
// Ask the ledger for room -> Admitted.
struct Admit {
  friend bool operator==(const Admit&, const Admit&) = default;
};
// Give the room back, or leave the queue.
struct Release {
  friend bool operator==(const Release&, const Release&) = default;
};
// Lease, cgroup, volumes -> Provisioned.
struct Provision {
  int attempt;
  friend bool operator==(const Provision&, const Provision&) = default;
};
struct Pull {  // -> Pulled
  std::string container;
  int attempt;
  friend bool operator==(const Pull&, const Pull&) = default;
};
struct CancelPull {
  std::string container;
  friend bool operator==(const CancelPull&, const CancelPull&) = default;
};
struct Create {  // network, snapshot, process -> Created
  std::string container;
  int attempt;
  // After an earlier life, or a creation that was cut short: its process is to be cleared away.
  bool again = false;
  friend bool operator==(const Create&, const Create&) = default;
};
struct Start {  // -> Started
  std::string container;
  int attempt;
  friend bool operator==(const Start&, const Start&) = default;
};
struct Signal {  // -> Signalled, then Exited
  std::string container;
  int signal_number;
  bool whole_cgroup;  // every process in the container's cgroup, past the runtime: when it does not
                      // answer
  friend bool operator==(const Signal&, const Signal&) = default;
};
struct Check {  // -> Checked
  std::string container;
  ProbeKind probe;
  int number;
  friend bool operator==(const Check&, const Check&) = default;
};
// Ask the runtime about all containers -> Observed, or nothing while it cannot be reached.
struct Observe {
  friend bool operator==(const Observe&, const Observe&) = default;
};
// Remove containers, networks, volumes, cgroup, lease -> Deprovisioned.
struct Deprovision {
  int attempt;
  friend bool operator==(const Deprovision&, const Deprovision&) = default;
};
struct ArmTimer {  // -> TimerFired
  TimerKey key;
  absl::Duration delay;
  friend bool operator==(const ArmTimer&, const ArmTimer&) = default;
};
// Tell the controller the task's state.
struct Report {
  friend bool operator==(const Report&, const Report&) = default;
};

using Action = std::variant<Persist, Admit, Release, Provision, Pull, CancelPull, Create, Start,
                            Signal, Check, Observe, Deprovision, ArmTimer, Report>;
using Actions = std::vector<Action>;

// "start web #2": for test output and debug logs.
std::string ToString(const Action& action);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_TASK_ACTION_H_
