#include "agent/task/container_notes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/task/task_changes.h"
#include "agent/task/task_plan.h"

namespace davit::task {

void ContainerNotes::NoteRunning(int pid, ContainerSnapshot* container) {
  container->phase = Phase::kRunning;
  container->pid = pid;
  container->exit_code.reset();  // an earlier life's
  container->reason.clear();
  if (!container->started_at) {
    container->started_at = at_;
    container->started_uptime = now_.uptime;
  }
  ArmLifeTimers(container);
  NoteTaskStarted(*container->started_at);
}

void ContainerNotes::NoteTaskStarted(absl::Time at) {
  const bool all_started = std::all_of(task_->containers.begin(), task_->containers.end(),
                                       [](const auto& c) { return c.phase >= Phase::kRunning; });
  if (all_started && !task_->started_at) task_->started_at = at;
}

void ContainerNotes::NoteExit(const End& end, ContainerSnapshot* container) {
  if (!MayHaveRun(*container)) {
    // Its creation was cut short, with the agent or the runtime: what ended is the waiting
    // process.
    container->has_remains = true;
    if (container->phase == Phase::kCreated) container->phase = Phase::kNone;
    return;
  }
  if (!container->started_at)
    container->started_at = end.at;  // started and gone before we heard of the start
  container->exit_code = end.exit_code;
  container->post_mortem = end.facts;
  container->reason = EndedAsAsked(*task_, *container, end.out_of_memory)
                          ? ""
                          : ReasonOfEnd(end.exit_code, end.out_of_memory, end.facts);
  if (task_->goal == Goal::kRun && MayRestart(*container, LifeUntil(end.at, now_, *container))) {
    BeginNextLife(end.at, container);
    return ArmTimerFor(TimerKey::Kind::kRetry, RetryDelay(container->restart_count), container);
  }
  container->finished_at = end.at;
  StopContainer(end.at, "", container);
  NoteTaskStarted(*container->started_at);  // its end may be the first that is heard of it
  if (container->essential) {
    BeginStopping("Essential container in task exited", v1::StopCode::EssentialContainerExited,
                  task_);
  }
}

// What runs beside a running container: its checks, and the patience of those who wait for it.
void ContainerNotes::ArmLifeTimers(ContainerSnapshot* container) {
  if (container->start_timeout != absl::InfiniteDuration() && !container->start_timed_out) {
    actions_->push_back(
        ArmTimer{{TimerKey::Kind::kStartTimeout, container->name, container->restart_count},
                 container->start_timeout});
  }
  for (auto& [kind, probe] : container->probes) ArmCheckTimer(container->name, kind, &probe);
}

void ContainerNotes::ArmCheckTimer(const std::string& container, ProbeKind kind, Probe* probe) {
  actions_->push_back(
      ArmTimer{{TimerKey::Kind::kCheck, container, ++probe->number, kind}, probe->check.interval});
}

// Only those who wait for its completion or health look at this.
void ContainerNotes::NoteStartTimeout(int life, ContainerSnapshot* container) {
  if (container->phase == Phase::kRunning && container->restart_count == life &&
      !container->was_healthy) {
    container->start_timed_out = true;
  }
}

void ContainerNotes::SendSignal(ContainerSnapshot* container) {
  const int number = container->stop_signals > 1 ? 9 : container->stop_signal;
  actions_->push_back(Signal{container->name, number, container->stop_signals > 2});
}

// Escalates: stop signal, SIGKILL, SIGKILL to the whole cgroup again and again.
void ContainerNotes::NoteStopTimer(int signals_sent, ContainerSnapshot* container) {
  if (container->phase != Phase::kRunning || container->stop_signals != signals_sent) return;
  ++container->stop_signals;
  SendSignal(container);
  if (container->stop_signals > 2) {
    task_->waiting_reason = absl::StrCat("container ", container->name, " does not die of SIGKILL");
    actions_->push_back(Observe{});  // its exit may have been missed
  }
  actions_->push_back(ArmTimer{
      TimerKey{TimerKey::Kind::kStop, container->name, container->stop_signals}, kKillInterval});
}

// What the runtime shows is the truth, except for work whose result is still to come.
void ContainerNotes::NoteSighting(const Sighting& seen, bool same_boot,
                                  ContainerSnapshot* container) {
  if (container->phase == Phase::kStopped) return;
  const bool start_uncertain = StartIsUncertain(*container);
  switch (seen.state) {
    case Sighting::State::kRunning:
      if (container->phase == Phase::kRunning) return;
      SettleWork(container);
      return NoteRunning(seen.pid, container);
    case Sighting::State::kStopped:
      return NoteExit({seen.exit_code, seen.out_of_memory, seen.exited_at, seen.facts}, container);
    case Sighting::State::kCreated:
      // It did not start. (One whose creation is not known to be done is created again: that
      // finds it, and tells its ports.)
      if (start_uncertain) SettleWork(container);
      return;
    case Sighting::State::kUnknown:
      if (start_uncertain) {
        ArmTimerFor(TimerKey::Kind::kRetry, RetryDelay(container->failures), container);
      }
      return;
    case Sighting::State::kAbsent:
    case Sighting::State::kNoTask:
      break;
  }
  if (container->phase == Phase::kRunning || container->work == Work::kStart || start_uncertain) {
    // It ran, or may have: it never runs again.
    if (!container->started_at) container->started_at = at_;
    container->exit_code.reset();
    StopContainer(at_,
                  same_boot
                      ? "ContainerVanishedError: the runtime does not know the container any more"
                      : "ContainerVanishedError: the host was restarted",
                  container);
    if (container->essential) {
      BeginStopping("Essential container in task exited", v1::StopCode::EssentialContainerExited,
                    task_);
    }
  } else if (container->phase == Phase::kCreated && container->work == Work::kNothing) {
    container->phase = Phase::kNone;  // made, lost, never started: made again
  }
}

void ContainerNotes::SettleWork(ContainerSnapshot* container) {
  container->work = Work::kNothing;
  container->failures = 0;
  ++container->attempt;
}

void ContainerNotes::ArmTimerFor(TimerKey::Kind kind, absl::Duration delay,
                                 const ContainerSnapshot* container) {
  actions_->push_back(ArmTimer{TimerKey{kind, container->name, container->attempt}, delay});
}

}  // namespace davit::task
