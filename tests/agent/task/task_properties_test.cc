// Invariants of the state machine over every kind of event in many thousand reachable states.

#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "agent/task/task_plan.h"
#include "tests/agent/task/task_driver.h"

namespace davit::task {
namespace {

const std::vector<Outcome> kOutcomes = {{Outcome::Kind::kDone, ""},
                                        {Outcome::Kind::kRetry, "AnError: later"},
                                        {Outcome::Kind::kFailed, "AnError: never"}};

const std::vector<std::optional<CheckResult>> kResults = {
    CheckResult{0, "words"}, CheckResult{1, "words"}, CheckResult{std::nullopt, "too long"},
    std::nullopt};

// Every possible event: each kind, with the current, the last and a future attempt, each outcome,
// each container and an unknown one.
std::vector<decltype(Event::what)> AllEvents(const TaskSnapshot& task) {
  std::vector<decltype(Event::what)> events = {
      GoalChanged{Goal::kRun, "", {}},
      GoalChanged{Goal::kStop, "stop", v1::StopCode::UserInitiated},
      CallStuck{"making folder /mnt/x"}, CallGoesOn{"making folder /mnt/x"}};
  for (const Outcome& outcome : kOutcomes) events.push_back(Admitted{outcome});
  for (int delta = -1; delta <= 1; ++delta) {
    const int attempt = task.attempt + delta;
    events.push_back(TimerFired{{TimerKey::Kind::kRetry, "", attempt}});
    for (const Outcome& outcome : kOutcomes) {
      events.push_back(Provisioned{attempt, outcome});
      events.push_back(Deprovisioned{attempt, outcome});
    }
  }
  std::vector<ContainerSnapshot> containers = task.containers;
  containers.push_back(ContainerSnapshot{});
  containers.back().name = "unknown";
  for (const ContainerSnapshot& container : containers) {
    events.push_back(ContainerRemoved{container.name});
    events.push_back(Exited{container.name, 0, false, absl::FromUnixSeconds(5)});
    events.push_back(Exited{container.name, 137, true, absl::FromUnixSeconds(5)});
    for (int delta = -1; delta <= 1; ++delta) {
      const int attempt = container.attempt + delta;
      events.push_back(TimerFired{{TimerKey::Kind::kRetry, container.name, attempt}});
      events.push_back(
          TimerFired{{TimerKey::Kind::kStop, container.name, container.stop_signals + delta}});
      for (const Outcome& outcome : kOutcomes) {
        events.push_back(Pulled{container.name, attempt, outcome, "sha256:1"});
        events.push_back(Created{container.name, attempt, outcome, {}});
        events.push_back(Started{container.name, attempt, outcome, 42});
      }
    }
    for (const ProbeKind kind : {ProbeKind::kLiveness, ProbeKind::kReadiness}) {
      const auto probe = container.probes.find(kind);
      const int number = probe == container.probes.end() ? 0 : probe->second.number;
      for (int delta = -1; delta <= 1; ++delta) {
        events.push_back(
            TimerFired{{TimerKey::Kind::kCheck, container.name, number + delta, kind}});
        for (const std::optional<CheckResult>& result : kResults)
          events.push_back(Checked{container.name, kind, number + delta, result});
      }
    }
    events.push_back(
        TimerFired{{TimerKey::Kind::kStartTimeout, container.name, container.restart_count}});
    events.push_back(Exited{container.name, 3, false, absl::FromUnixSeconds(2'000'000)});
    for (const Outcome& outcome : kOutcomes) events.push_back(Signalled{container.name, outcome});
    for (const auto state :
         {Sighting::State::kAbsent, Sighting::State::kNoTask, Sighting::State::kCreated,
          Sighting::State::kRunning, Sighting::State::kStopped, Sighting::State::kUnknown}) {
      for (const bool same_boot : {true, false}) {
        events.push_back(Observed{
            {{container.name, container.attempt, state, 42, 9, false, absl::FromUnixSeconds(5)}},
            same_boot});
      }
    }
  }
  return events;
}

bool HasWorkOrWaits(const TaskSnapshot& task) {
  if (task.finished || !task.observed) return true;  // it has ended, or an inspection is always due
  if (task.work != Work::kNothing) return true;      // in flight, or a timer is armed
  for (const ContainerSnapshot& container : task.containers) {
    if (container.work != Work::kNothing) return true;
    if (container.phase == Phase::kRunning)
      return true;  // its exit event will come; while stopping, a timer is armed too
  }
  return false;
}

// Checks only change reports. At most one check per probe is due.
void CheckProbes(const TaskSnapshot& before, const decltype(Event::what)& what, const Step& step) {
  const TaskSnapshot& after = step.next;
  for (size_t i = 0; i < after.containers.size(); ++i) {
    const ContainerSnapshot& container = after.containers[i];
    bool is_alive = true;
    for (const auto& [kind, probe] : container.probes) {
      REQUIRE(probe.results.size() <= 5);
      REQUIRE(probe.failures <= probe.check.retries);
      if (kind == ProbeKind::kLiveness) is_alive = probe.health != Health::kUnhealthy;
      if (container.phase == Phase::kStopped && kind == ProbeKind::kReadiness)
        REQUIRE(probe.health == Health::kUnknown);
      const auto due = std::count_if(
          step.actions.begin(), step.actions.end(),
          [&container, kind = kind, &probe = probe](const Action& action) {
            const TimerKey key{TimerKey::Kind::kCheck, container.name, probe.number, kind};
            const auto* timer = std::get_if<ArmTimer>(&action);
            return action == Action(Check{container.name, kind, probe.number}) ||
                   (timer != nullptr && timer->key == key);
          });
      REQUIRE(due <= 1);
      // A new number comes with its timer, so no probe stops.
      if (probe.number != before.containers[i].probes.at(kind).number) REQUIRE(due == 1);
    }
    REQUIRE((HealthOf(container) == Health::kUnhealthy) == !is_alive);
    for (const Dependency& dependency : container.depends_on) {
      const bool is_begun =
          std::any_of(step.actions.begin(), step.actions.end(), [&container](const Action& action) {
            const auto* create = std::get_if<Create>(&action);
            return create != nullptr && create->container == container.name;
          });
      if (is_begun && dependency.condition == Condition::kHealthy)
        REQUIRE(HealthOf(*FindContainer(after, dependency.container)) == Health::kHealthy);
    }
    if (!std::holds_alternative<Checked>(what) || before.goal == Goal::kStop) continue;
    REQUIRE(after.goal == Goal::kRun);
    REQUIRE(container.phase == before.containers[i].phase);
    REQUIRE(container.stop_signals == before.containers[i].stop_signals);
  }
}

void CheckStep(const TaskSnapshot& before, const Step& step) {
  const TaskSnapshot& after = step.next;
  // Observed state never goes back; what has stopped stays stopped; the goal never returns to run.
  REQUIRE(after.last_status >= before.last_status);
  REQUIRE(after.last_status >= StatusOf(after));
  REQUIRE(after.goal >= before.goal);
  REQUIRE((!before.finished || after == before));
  for (size_t i = 0; i < before.containers.size(); ++i) {
    if (before.containers[i].phase == Phase::kStopped)
      REQUIRE(after.containers[i].phase == Phase::kStopped);
    if (before.containers[i].phase == Phase::kStopped)
      REQUIRE(after.containers[i].exit_code == before.containers[i].exit_code);
  }
  // Nothing gets stuck.
  REQUIRE(HasWorkOrWaits(after));
  // Terminal means, in this order: the host is clean, the state is durable, and it is reported.
  if (after.finished && !before.finished) {
    REQUIRE_FALSE(after.owns_host_state);
    const size_t n = step.actions.size();
    REQUIRE(n >= 3);
    REQUIRE(step.actions[n - 3] == Action(Persist{}));
    REQUIRE(step.actions[n - 2] == Action(Release{}));
    REQUIRE(step.actions[n - 1] == Action(Report{}));
  }
  for (size_t i = 0; i < step.actions.size(); ++i) {
    const Action& action = step.actions[i];
    // Nothing starts for a container that has ended, and nothing new for a task that must stop.
    if (const auto* start = std::get_if<Start>(&action)) {
      REQUIRE(after.goal == Goal::kRun);
      REQUIRE(step.actions[0] == Action(Persist{}));
      REQUIRE(FindContainer(const_cast<TaskSnapshot*>(&after), start->container)->phase ==
              Phase::kCreated);
    }
    if (std::holds_alternative<Provision>(action) || std::holds_alternative<Deprovision>(action)) {
      REQUIRE(i > 0);
      REQUIRE(after.owns_host_state);
    }
  }
}

TEST_CASE("every event in every reachable state keeps the machine's invariants",
          "[task][properties]") {
  std::mt19937 random(20261123);  // NOLINT: the same walk each time
  size_t pairs = 0;
  std::set<std::string> states;                  // (goal, work, phases and works) seen
  std::set<std::pair<Health, Health>> verdicts;  // (liveness, readiness) of a running container
  for (int walk = 0; walk < 400; ++walk) {
    TaskSnapshot task = walk % 4 == 0   ? TwoContainers()
                        : walk % 4 == 1 ? OneContainer()
                        : walk % 4 == 2 ? OrderedContainers()
                                        : OrderedContainersWithReadiness();
    if (walk % 8 == 3) {
      TaskDriver driver(task);
      driver.Run();
      task = driver.snapshot();
    }
    for (int step_number = 0; step_number < 40; ++step_number) {
      const auto events = AllEvents(task);
      const absl::Time now = absl::FromUnixSeconds(1'000'000 + step_number);
      std::vector<TaskSnapshot> changed;
      std::vector<TaskSnapshot> changed_by_checks;
      for (const auto& what : events) {
        const Step step = Advance(task, Event{now, what});
        CheckStep(task, step);
        CheckProbes(task, what, step);
        ++pairs;
        if (step.next == task) continue;
        changed.push_back(step.next);
        if (std::holds_alternative<Checked>(what)) changed_by_checks.push_back(step.next);
      }
      std::string state = absl::StrCat(ToString(task.goal), ToString(task.work));
      for (const ContainerSnapshot& c : task.containers) {
        absl::StrAppend(&state, ToString(c.phase), ToString(c.work));
        if (c.phase == Phase::kRunning && c.probes.size() == 2) {
          verdicts.emplace(c.probes.at(ProbeKind::kLiveness).health,
                           c.probes.at(ProbeKind::kReadiness).health);
        }
      }
      states.insert(state);
      if (changed.empty()) break;
      // Most events end something. Without this, hardly any check would follow another.
      const bool is_check = !changed_by_checks.empty() && random() % 2 == 0;
      const std::vector<TaskSnapshot>& nexts = is_check ? changed_by_checks : changed;
      task = nexts[random() % nexts.size()];
      // Now and then the agent dies and comes back.
      if (random() % 12 == 0) task = Recover(task).next;
    }
  }
  CHECK(pairs > 100'000);
  CHECK(states.size() > 60);
  CHECK(verdicts.size() == 9);
}

// The answer of a well-behaved host to an action.
void Answer(const Action& action, std::vector<decltype(Event::what)>* answers,
            std::mt19937* random) {
  const auto outcome = [random] {
    return (*random)() % 4 == 0 ? Outcome{Outcome::Kind::kRetry, "AnError: later"} : Outcome{};
  };
  if (std::holds_alternative<Admit>(action)) answers->push_back(Admitted{});
  if (const auto* a = std::get_if<Provision>(&action))
    answers->push_back(Provisioned{a->attempt, outcome()});
  if (const auto* a = std::get_if<Pull>(&action))
    answers->push_back(Pulled{a->container, a->attempt, outcome(), ""});
  if (const auto* a = std::get_if<Create>(&action)) {
    answers->push_back(Created{a->container, a->attempt, outcome(), {}});
  }
  if (const auto* a = std::get_if<Start>(&action))
    answers->push_back(Started{a->container, a->attempt, {}, 9});
  if (const auto* a = std::get_if<Check>(&action)) {
    answers->push_back(
        Checked{a->container, a->probe, a->number, kResults[(*random)() % kResults.size()]});
  }
  if (const auto* a = std::get_if<Deprovision>(&action))
    answers->push_back(Deprovisioned{a->attempt, outcome()});
  if (const auto* a = std::get_if<ArmTimer>(&action)) answers->push_back(TimerFired{a->key});
  if (const auto* a = std::get_if<Signal>(&action)) {
    answers->push_back(Signalled{a->container, outcome()});
    if (a->signal_number == 9)
      answers->push_back(Exited{a->container, 137, false, absl::FromUnixSeconds(9)});
  }
}

TEST_CASE("a stop at any moment reaches STOPPED in bounded steps", "[task][properties]") {
  std::mt19937 random(7);  // NOLINT: the same histories each time
  for (int history = 0; history < 2000; ++history) {
    TaskDriver driver(history % 2 == 0 ? TwoContainers() : OrderedContainersWithReadiness());
    std::vector<decltype(Event::what)> answers = {GoalChanged{Goal::kRun, "", {}}};
    const int stop_at = static_cast<int>(random() % 25);
    int steps = 0;
    for (; !driver.snapshot().finished && steps < 1000; ++steps) {
      if (steps == stop_at)
        answers.push_back(GoalChanged{Goal::kStop, "stop", v1::StopCode::UserInitiated});
      if (answers.empty()) continue;  // everything runs and nothing is to be done
      const size_t next = random() % answers.size();
      const auto what = answers[next];
      answers.erase(answers.begin() + static_cast<std::ptrdiff_t>(next));
      driver.Send(what);
      for (const Action& action : driver.actions()) Answer(action, &answers, &random);
    }
    INFO("history " << history);
    REQUIRE(driver.snapshot().finished);
  }
}

}  // namespace
}  // namespace davit::task
