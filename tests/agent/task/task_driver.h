#ifndef DAVIT_TESTS_AGENT_TASK_TASK_DRIVER_H_
#define DAVIT_TESTS_AGENT_TASK_TASK_DRIVER_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "agent/task/task_machine.h"

namespace davit::task {

// Drives one state machine through events, like an actor, and remembers the last step.
class TaskDriver {
 public:
  explicit TaskDriver(TaskSnapshot snapshot) : snapshot_(std::move(snapshot)) {}

  const Actions& Send(decltype(Event::what) what) {
    Pass(absl::Seconds(1));
    Step step = Advance(snapshot_, Event{now_, std::move(what), uptime_});
    snapshot_ = std::move(step.next);
    actions_ = std::move(step.actions);
    return actions_;
  }

  template <typename A>
  const A* Find(const std::string& container = "") const {
    for (const Action& action : actions_) {
      if (const A* found = std::get_if<A>(&action)) {
        if constexpr (requires { found->container; }) {
          if (!container.empty() && found->container != container) continue;
        }
        return found;
      }
    }
    return nullptr;
  }
  bool Has(const Action& wanted) const {
    return std::find(actions_.begin(), actions_.end(), wanted) != actions_.end();
  }

  void Pass(absl::Duration time) {
    now_ += time;
    uptime_ += time;
  }
  // Somebody sets the wall clock.
  void SetClock(absl::Duration by) { now_ += by; }

  // Everything goes well up to running containers.
  void Run() {
    Send(GoalChanged{Goal::kRun, "", {}});
    Send(Admitted{});
    Send(Provisioned{snapshot_.attempt, {}});
    for (size_t i = 0; i < snapshot_.containers.size(); ++i) {
      const std::string name = snapshot_.containers[i].name;
      Send(Pulled{name, attempt(name), {}, "sha256:1"});
      Send(Created{name, attempt(name), {}, {}});
      Send(Started{name, attempt(name), {}, 100 + static_cast<int>(i)});
    }
  }

  int attempt(const std::string& container) {
    return FindContainer(&snapshot_, container)->attempt;
  }
  const ContainerSnapshot& container(const std::string& name) {
    return *FindContainer(&snapshot_, name);
  }
  const Probe& probe(const std::string& container, ProbeKind kind) {
    return FindContainer(&snapshot_, container)->probes.at(kind);
  }
  // Ends the check that is due or in flight. nullopt: it had no answer.
  const Actions& EndCheck(const std::string& container, ProbeKind kind,
                          std::optional<CheckResult> result) {
    return Send(Checked{container, kind, probe(container, kind).number, std::move(result)});
  }
  const TaskSnapshot& snapshot() const { return snapshot_; }
  TaskSnapshot* mutable_snapshot() { return &snapshot_; }
  const Actions& actions() const { return actions_; }
  absl::Time now() const { return now_; }

 private:
  TaskSnapshot snapshot_;
  Actions actions_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  absl::Duration uptime_ = absl::Hours(2);
};

inline TaskSnapshot TwoContainers() {
  TaskSnapshot task;
  task.task_id = "0123456789abcdef0123456789abcdef";
  ContainerSnapshot web;
  web.name = "web";
  web.stop_timeout = absl::Seconds(10);
  ContainerSnapshot sidecar;
  sidecar.name = "sidecar";
  sidecar.essential = false;
  task.containers = {web, sidecar};
  return task;
}

// "app" depends on "db" being HEALTHY and on the success of "setup"; "db" restarts when it ends.
inline TaskSnapshot OrderedContainers() {
  TaskSnapshot task;
  task.task_id = "0123456789abcdef0123456789abcdef";
  ContainerSnapshot db;
  db.name = "db";
  db.probes[ProbeKind::kLiveness].check = {absl::Seconds(10), 2, absl::Seconds(30)};
  db.restart_policy = {true, {7}, absl::Seconds(60)};
  db.start_timeout = absl::Seconds(120);
  ContainerSnapshot setup;
  setup.name = "setup";
  setup.essential = false;
  ContainerSnapshot app;
  app.name = "app";
  app.depends_on = {{"db", Condition::kHealthy}, {"setup", Condition::kSuccess}};
  task.containers = {db, setup, app};
  return task;
}

// The same with a "db" that also has a readiness check.
inline TaskSnapshot OrderedContainersWithReadiness() {
  TaskSnapshot task = OrderedContainers();
  task.containers[0].probes[ProbeKind::kReadiness].check = {absl::Seconds(5), 1,
                                                            absl::ZeroDuration()};
  return task;
}

inline TaskSnapshot OneContainer() {
  TaskSnapshot task = TwoContainers();
  task.containers.pop_back();
  return task;
}

}  // namespace davit::task

#endif  // DAVIT_TESTS_AGENT_TASK_TASK_DRIVER_H_
