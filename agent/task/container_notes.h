#ifndef DAVIT_AGENT_TASK_CONTAINER_NOTES_H_
#define DAVIT_AGENT_TASK_CONTAINER_NOTES_H_

#include <optional>
#include <string>

#include "agent/task/container_life.h"
#include "agent/task/task_action.h"

namespace davit::task {

// Notes in a snapshot what has become of the task's containers, and what has to follow at once.
// Part of the state machine: pure.
class ContainerNotes {
 public:
  // How a life ended, as an event or a look at the runtime tells of it.
  struct End {
    std::optional<int> exit_code;
    bool out_of_memory;
    absl::Time at;
    const PostMortem& facts;
  };
  // Both outlive this object.
  ContainerNotes(const Moment& now, TaskSnapshot* task, Actions* actions)
      : now_(now), at_(now.wall), task_(task), actions_(actions) {}

  void NoteRunning(int pid, ContainerSnapshot* container);
  void NoteExit(const End& end, ContainerSnapshot* container);
  // What the runtime shows is the truth, except for work whose result is still to come.
  void NoteSighting(const Sighting& seen, bool same_boot, ContainerSnapshot* container);
  // Only those who wait for its completion or health look at this.
  void NoteStartTimeout(int life, ContainerSnapshot* container);
  // Escalates: stop signal, SIGKILL, SIGKILL to the whole cgroup again and again.
  void NoteStopTimer(int signals_sent, ContainerSnapshot* container);

  void SendSignal(ContainerSnapshot* container);
  // What runs beside a running container: its checks, and the patience of those who wait for it.
  void ArmLifeTimers(ContainerSnapshot* container);
  void ArmCheckTimer(const std::string& container, ProbeKind kind, Probe* probe);
  void ArmTimerFor(TimerKey::Kind kind, absl::Duration delay, const ContainerSnapshot* container);

 private:
  void NoteTaskStarted(absl::Time at);
  static void SettleWork(ContainerSnapshot* container);

  const Moment now_;
  const absl::Time at_;  // now_.wall
  TaskSnapshot* const task_;
  Actions* const actions_;
};

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_CONTAINER_NOTES_H_
