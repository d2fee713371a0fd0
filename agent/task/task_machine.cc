#include "agent/task/task_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/task/container_life.h"
#include "agent/task/container_notes.h"
#include "agent/task/task_changes.h"
#include "agent/task/task_plan.h"

namespace davit::task {
namespace {

// Notes one event in a copy of the snapshot. task_plan.h decides what is needed next.
class Notes {
 public:
  Notes(const Moment& now, TaskSnapshot* task, Actions* actions)
      : now_(now), at_(now.wall), task_(task), actions_(actions), containers_(now, task, actions) {}

  void operator()(const GoalChanged& event) {
    if (event.goal == Goal::kStop) BeginStopping(event.reason, event.stop_code, task_);
  }

  void operator()(const Admitted& event) {
    if (task_->work != Work::kAdmit) return;
    task_->waiting_reason = event.outcome.reason;
    if (event.outcome.kind == Outcome::Kind::kRetry) return;  // it stays in the queue
    task_->work = Work::kNothing;
    if (event.outcome.kind == Outcome::Kind::kDone) {
      task_->admitted = true;
    } else {
      BeginStopping(event.outcome.reason, v1::StopCode::TaskFailedToStart, task_);
    }
  }

  void operator()(const Provisioned& event) {
    if (task_->work != Work::kProvision || task_->attempt != event.attempt) return;
    if (EndWork(event.outcome, "", task_)) {
      task_->provisioned = true;
    } else if (event.outcome.kind == Outcome::Kind::kFailed) {
      BeginStopping(event.outcome.reason, v1::StopCode::TaskFailedToStart, task_);
    }
  }

  void operator()(const Pulled& event) {
    ContainerSnapshot* container = InFlight(event.container, Work::kPull, event.attempt);
    if (container == nullptr || !EndWork(event.outcome, container)) return;
    container->phase = Phase::kPulled;
    container->image_digest = event.image_digest;
    container->stop_signal = event.stop_signal;
    const bool all_pulled = std::none_of(task_->containers.begin(), task_->containers.end(),
                                         [](const auto& c) { return c.phase == Phase::kNone; });
    if (all_pulled && !task_->pull_stopped_at) task_->pull_stopped_at = at_;
  }

  void operator()(const Created& event) {
    ContainerSnapshot* container = InFlight(event.container, Work::kCreate, event.attempt);
    if (container == nullptr) return;
    // It may exist already, created by an agent that lost its records.
    if (event.outcome.kind == Outcome::Kind::kRetry) actions_->push_back(Observe{});
    if (!EndWork(event.outcome, container)) return;
    container->phase = Phase::kCreated;
    container->network_bindings = event.network_bindings;
  }

  void operator()(const Started& event) {
    ContainerSnapshot* container = InFlight(event.container, Work::kStart, event.attempt);
    if (container == nullptr) return;
    if (event.outcome.kind == Outcome::Kind::kRetry) {
      // It may have started. Only an inspection can tell.
      EndWork(event.outcome, container);
      actions_->push_back(Observe{});
      return;
    }
    if (EndWork(event.outcome, container)) containers_.NoteRunning(event.pid, container);
  }

  void operator()(const Exited& event) {
    ContainerSnapshot* container = FindContainer(task_, event.container);
    if (container == nullptr || container->phase == Phase::kStopped) return;
    if (container->restart_count > 0) {
      actions_->push_back(Observe{});  // may be a late event of an earlier life: inspect
      return;
    }
    containers_.NoteExit({event.exit_code, event.out_of_memory, event.exited_at, event.facts},
                         container);
  }

  void operator()(const Signalled& event) {
    ContainerSnapshot* container = FindContainer(task_, event.container);
    if (container == nullptr || container->phase != Phase::kRunning) return;
    if (event.outcome.kind == Outcome::Kind::kDone) {
      container->failures = 0;
      return;
    }
    task_->waiting_reason = event.outcome.reason;
    if (event.outcome.kind == Outcome::Kind::kFailed) {
      actions_->push_back(Observe{});  // no such process, so its exit was missed
      return;
    }
    containers_.ArmTimerFor(TimerKey::Kind::kRetry, RetryDelay(++container->failures), container);
  }

  void operator()(const Deprovisioned& event) {
    if (task_->work != Work::kDeprovision || task_->attempt != event.attempt) return;
    if (!EndWork(event.outcome, "", task_)) return;
    task_->owns_host_state = false;
    task_->provisioned = false;
    task_->waiting_reason.clear();
    for (const auto& [name, lines] : event.last_lines) {
      ContainerSnapshot* container = FindContainer(task_, name);
      if (container == nullptr) continue;
      if (!container->post_mortem) container->post_mortem.emplace();
      container->post_mortem->last_lines = lines;
    }
  }

  void operator()(const Checked& event) {
    ContainerSnapshot* container = FindContainer(task_, event.container);
    Probe* probe = Awaited(event.probe, event.number, container);
    if (probe == nullptr) return;
    if (event.result) NoteCheck(now_, *event.result, *container, probe);
    if (HealthOf(*container) == Health::kHealthy) {
      container->was_healthy = true;
      container->start_timed_out = false;  // the condition holds after all
    }
    containers_.ArmCheckTimer(container->name, event.probe, probe);
  }

  void operator()(const Observed& event) {
    const bool is_first = !task_->observed;
    task_->observed = true;
    if (!event.same_boot) task_->provisioned = false;  // cgroups and network namespaces are gone
    for (const Sighting& sighting : event.sightings) {
      ContainerSnapshot* container = FindContainer(task_, sighting.container);
      if (container == nullptr || container->attempt != sighting.attempt) continue;
      // A restarted agent has no timers.
      if (is_first && container->phase == Phase::kRunning &&
          (sighting.state == Sighting::State::kRunning ||
           sighting.state == Sighting::State::kUnknown)) {
        containers_.ArmLifeTimers(container);
      }
      containers_.NoteSighting(sighting, event.same_boot, container);
    }
  }

  void operator()(const ContainerRemoved& event) {
    // One that has ended is removed by this agent, and nothing is to be learned of it.
    const ContainerSnapshot* container = FindContainer(*task_, event.container);
    if (container != nullptr && container->phase != Phase::kStopped) actions_->push_back(Observe{});
  }

  void operator()(const CallStuck& event) { task_->stuck_calls.push_back(event.what); }
  void operator()(const CallGoesOn& event) {
    std::vector<std::string>& stuck = task_->stuck_calls;
    const auto found = std::find(stuck.begin(), stuck.end(), event.what);
    if (found != stuck.end()) stuck.erase(found);
  }

  void operator()(const TimerFired& event) {
    if (event.key.container.empty()) {
      if (task_->work == Work::kBackoff && task_->attempt == event.key.attempt)
        task_->work = Work::kNothing;
      return;
    }
    ContainerSnapshot* container = FindContainer(task_, event.key.container);
    if (container == nullptr) return;
    if (event.key.kind == TimerKey::Kind::kStop)
      return containers_.NoteStopTimer(event.key.attempt, container);
    if (event.key.kind == TimerKey::Kind::kStartTimeout)
      return containers_.NoteStartTimeout(event.key.attempt, container);
    if (event.key.kind == TimerKey::Kind::kCheck) {
      if (Awaited(event.key.probe, event.key.attempt, container) != nullptr)
        actions_->push_back(Check{container->name, event.key.probe, event.key.attempt});
      return;
    }
    if (container->attempt != event.key.attempt) return;
    if (StartIsUncertain(*container)) {
      actions_->push_back(Observe{});  // a timer does not show whether it runs: inspect
    } else if (container->work == Work::kBackoff) {
      container->work = Work::kNothing;
    } else if (container->phase == Phase::kRunning && container->stop_signals > 0) {
      containers_.SendSignal(container);  // the last signal was not delivered
    }
  }

 private:
  ContainerSnapshot* InFlight(absl::string_view name, Work work, int attempt) {
    ContainerSnapshot* container = FindContainer(task_, name);
    const bool awaited =
        container != nullptr && container->work == work && container->attempt == attempt;
    return awaited ? container : nullptr;
  }

  // The probe whose check with this number is due or in flight; `container` may be null.
  static Probe* Awaited(ProbeKind kind, int number, ContainerSnapshot* container) {
    if (container == nullptr || container->phase != Phase::kRunning) return nullptr;
    const auto found = container->probes.find(kind);
    const bool awaited = found != container->probes.end() && found->second.number == number;
    return awaited ? &found->second : nullptr;
  }

  // True: the work is done. Otherwise arms the retry of work that may still succeed.
  template <typename Subject>
  bool EndWork(const Outcome& outcome, const std::string& timer_name, Subject* subject) {
    subject->work = Work::kNothing;
    if (outcome.kind == Outcome::Kind::kDone) {
      subject->failures = 0;
      task_->waiting_reason.clear();
      return true;
    }
    task_->waiting_reason = outcome.reason;
    if (outcome.kind == Outcome::Kind::kRetry) {
      subject->work = Work::kBackoff;
      const int attempt = ++subject->attempt;
      actions_->push_back(ArmTimer{TimerKey{TimerKey::Kind::kRetry, timer_name, attempt},
                                   RetryDelay(++subject->failures)});
    }
    return false;
  }

  bool EndWork(const Outcome& outcome, ContainerSnapshot* container) {
    const bool done = EndWork(outcome, container->name, container);
    if (outcome.kind == Outcome::Kind::kFailed)
      FailContainer(at_, outcome.reason, task_, container);
    return done;
  }

  const Moment now_;
  const absl::Time at_;  // now_.wall
  TaskSnapshot* const task_;
  Actions* const actions_;
  ContainerNotes containers_;
};

// Whether the checks have the same verdicts. A changed output alone is not worth a write.
bool HasSameVerdicts(const TaskSnapshot& before, const TaskSnapshot& after) {
  const auto same = [](const auto& a, const auto& b) {
    return a.second.health == b.second.health && a.second.failures == b.second.failures;
  };
  return std::equal(before.containers.begin(), before.containers.end(), after.containers.begin(),
                    after.containers.end(), [&same](const auto& a, const auto& b) {
                      return std::equal(a.probes.begin(), a.probes.end(), b.probes.begin(),
                                        b.probes.end(), same);
                    });
}

// Merges the status and adds a report if anything visible has changed.
void Conclude(const TaskSnapshot& before, Step* step) {
  step->next.last_status = std::max(step->next.last_status, StatusOf(step->next));
  const auto same = [](const ContainerSnapshot& a, const ContainerSnapshot& b) {
    return StatusOf(a) == StatusOf(b) && a.image_digest == b.image_digest &&
           a.network_bindings == b.network_bindings && a.reason == b.reason &&
           a.exit_code == b.exit_code && HealthOf(a) == HealthOf(b) &&
           a.restart_count == b.restart_count;
  };
  const bool visible =
      step->next.last_status != before.last_status ||
      step->next.waiting_reason != before.waiting_reason ||
      step->next.stuck_calls != before.stuck_calls ||
      !std::equal(before.containers.begin(), before.containers.end(), step->next.containers.begin(),
                  step->next.containers.end(), same);
  if (visible) step->actions.push_back(Report{});
  if (!visible && HasSameVerdicts(before, step->next)) return;
  // Stored for a restart, but nothing waits for it.
  if (std::find(step->actions.begin(), step->actions.end(), Action(Persist{})) ==
      step->actions.end()) {
    step->actions.push_back(Persist{});
  }
}

}  // namespace

Step Advance(const TaskSnapshot& task, const Event& event) {
  Step step{task, {}};
  if (task.finished) return step;
  std::visit(Notes({event.at, event.uptime}, &step.next, &step.actions), event.what);
  const bool all_stopped = std::all_of(step.next.containers.begin(), step.next.containers.end(),
                                       [](const auto& c) { return c.phase == Phase::kStopped; });
  if (all_stopped) {
    BeginStopping("All containers in task exited", v1::StopCode::EssentialContainerExited,
                  &step.next);
  }
  Plan(event.at, &step.next, &step.actions);
  Conclude(task, &step);
  return step;
}

Step Recover(TaskSnapshot task) {
  Step step{std::move(task), {}};
  if (step.next.finished) return step;
  TaskSnapshot& next = step.next;
  next.work = Work::kNothing;
  next.failures = 0;
  next.admitted = false;
  ++next.attempt;
  for (ContainerSnapshot& container : next.containers) {
    // An inspection of the runtime must show what became of an unfinished start.
    container.work = container.work == Work::kStart || StartIsUncertain(container) ? Work::kBackoff
                                                                                   : Work::kNothing;
    if (container.phase == Phase::kPulled) container.phase = Phase::kNone;
    container.failures = 0;
    container.stop_signals = 0;  // a stop starts again with a full grace period
    ++container.attempt;
  }
  next.observed = !next.owns_host_state;
  if (!next.observed) step.actions.push_back(Observe{});
  return step;
}

}  // namespace davit::task
