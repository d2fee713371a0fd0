#ifndef DAVIT_AGENT_TASK_TASK_ACTION_H_
#define DAVIT_AGENT_TASK_TASK_ACTION_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "agent/task/task_event.h"

namespace davit::task {

// Write the snapshot to the store. Later actions of the same step wait until it is durable.
struct Persist {
  friend bool operator==(const Persist&, const Persist&) = default;
};
// Request resources from the ledger -> Admitted.
struct Admit {
  friend bool operator==(const Admit&, const Admit&) = default;
};
// Return the resources, or leave the queue.
struct Release {
  friend bool operator==(const Release&, const Release&) = default;
};
// Create lease, cgroup, volumes -> Provisioned.
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
  // True after an earlier life or an interrupted creation: remove its process first.
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
// Inspect all containers -> Observed, or nothing while the runtime is unreachable.
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
// Report the task's state to the controller.
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
