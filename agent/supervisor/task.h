#ifndef DAVIT_AGENT_SUPERVISOR_TASK_H_
#define DAVIT_AGENT_SUPERVISOR_TASK_H_

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/image/image_puller.h"
#include "agent/secret/value_resolver.h"
#include "agent/store/store.h"
#include "agent/task/container_id.h"
#include "agent/task/task_machine.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

class Task;

// Names on the host are derived from the task's id; those of containers: agent/task/container_id.h.
inline std::string LeaseOf(const std::string& task_id) { return "davit-" + task_id; }

// What a task's actions do to the world. Begin() is called on the task's serial and does not block;
// what it begins ends in Task::Handle().
class Effects {
 public:
  virtual ~Effects() = default;
  virtual void Begin(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot,
                     const task::Action& action) = 0;
  // Removes what the host holds by this task's id, in the order in which nothing can come back:
  // processes, networks, cgroup, files, and the lease that held the snapshots. Blocks: on a pool
  // only. OK if gone.
  virtual absl::Status RemoveFromHost(const std::string& task_id,
                                      const std::vector<std::string>& containers) = 0;
};

// One task: its snapshot, its mailbox, and the actions of the pure machine carried out in order.
// Handle() is thread-safe and never blocks; the rest runs only on serial_.
class Task : public std::enable_shared_from_this<Task> {
 public:
  struct Deps {
    Executor* control;  // where serials run; never blocked
    const Clock* clock;
    store::Store* store;
    Effects* effects;
    std::string boot_id;
    std::string ec2_instance_id;
  };

  Task(const Deps& deps, v1::Assignment assignment, task::TaskSnapshot snapshot, uint64_t sequence);

  // Once, before any other event. `restarted`: the snapshot was loaded from the store.
  void Begin(bool restarted);
  void Handle(decltype(task::Event::what) what);
  // Runs `look` with the latest state, on the serial.
  void Inspect(absl::AnyInvocable<void(const task::TaskSnapshot&)> look);
  // The state for the controller, with the next sequence number. On the serial only.
  v1::TaskState NextState(const task::TaskSnapshot& snapshot);
  // The controller has the terminal status: kept with the record. Thread-safe.
  void NoteTerminalAcked();
  // The last thing that is asked of a task: its record goes, after all saves that still wait.
  // Thread-safe.
  void RemoveRecord();

  // Constant.
  const v1::Assignment& assignment() const { return assignment_; }
  const std::string& id() const { return id_; }
  const std::string& arn() const { return assignment_.task_arn(); }
  // The container that has this id; empty if none has.
  std::string ContainerName(const std::string& container_id) const;
  const v1::ContainerDefinition& Definition(const std::string& container) const;
  std::string ContainerId(const std::string& container) const {
    return task::ContainerIdOf(id_, container);
  }
  std::string Lease() const { return LeaseOf(id_); }

  // What pulls have brought, for creates; flags that end a pull. Thread-safe.
  void SetImage(const std::string& container, image::PulledImage image);
  image::PulledImage Image(const std::string& container) const;
  std::shared_ptr<std::atomic<bool>> CancelFlag(const std::string& container);

  // The values of a container's `secrets`, of all its lives: kept in memory only, so that they can
  // be left out of what is told of its output. nullopt: it has some that this agent has not seen.
  // Thread-safe.
  void AddSecrets(const std::string& container, const secret::ResolvedValues& values);
  std::optional<std::set<std::string>> SecretsOf(const std::string& container) const;
  void ForgetSecrets();

 private:
  void Apply(task::Step step);
  // Carries out the actions from `first` on; a Persist resumes with the rest once it is durable.
  void Perform(const task::Actions& actions, size_t first);
  v1::TaskRecord Record() const;

  const Deps deps_;
  const v1::Assignment assignment_;
  const std::string id_;
  Serial serial_;
  // Only on serial_.
  task::TaskSnapshot snapshot_;
  uint64_t sequence_;
  bool terminal_acked_ = false;

  mutable Mutex mu_;
  std::map<std::string, image::PulledImage> images_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::shared_ptr<std::atomic<bool>>> cancel_flags_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::set<std::string>> secrets_ ABSL_GUARDED_BY(mu_);  // by container
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TASK_H_
