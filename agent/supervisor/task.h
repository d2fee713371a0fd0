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

// Names on the host are derived from the task's id. For those of containers see
// agent/task/container_id.h.
inline std::string LeaseOf(const std::string& task_id) { return "davit-" + task_id; }

// Performs a task's actions. Begin() is called on the task's serial and does not block; its results
// arrive in Task::Handle().
class Effects {
 public:
  virtual ~Effects() = default;
  virtual void Begin(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot,
                     const task::Action& action) = 0;
  // Removes everything that the host has of this task, in an order in which nothing can come back:
  // processes, networks, cgroup, files, and the lease that protects the snapshots. Blocks: call it
  // from a pool. OK if there is nothing.
  virtual absl::Status RemoveFromHost(const std::string& task_id,
                                      const std::vector<std::string>& containers) = 0;
};

// One task: its snapshot, its mailbox, and the actions of the pure machine in order. Handle() is
// thread-safe and never blocks; the rest runs only on serial_.
class Task : public std::enable_shared_from_this<Task> {
 public:
  struct Deps {
    Executor* control;  // runs the serials; never blocked
    const Clock* clock;
    store::Store* store;
    Effects* effects;
    std::string boot_id;
    std::string ec2_instance_id;
  };

  Task(const Deps& deps, v1::Assignment assignment, task::TaskSnapshot snapshot, uint64_t sequence);

  // Call once, before any other event. `restarted`: the snapshot is from the store.
  void Begin(bool restarted);
  void Handle(decltype(task::Event::what) what);
  // Calls `look` with the latest snapshot, on the serial.
  void Inspect(absl::AnyInvocable<void(const task::TaskSnapshot&)> look);
  // The state for the controller, with the next sequence number. Only on the serial.
  v1::TaskState NextState(const task::TaskSnapshot& snapshot);
  // Records that the controller has acknowledged the terminal status. Thread-safe.
  void NoteTerminalAcked();
  // Removes the record, after all pending saves. The last call for a task. Thread-safe.
  void RemoveRecord();

  // Constant.
  const v1::Assignment& assignment() const { return assignment_; }
  const std::string& id() const { return id_; }
  const std::string& arn() const { return assignment_.task_arn(); }
  // The container with this id; empty: none.
  std::string ContainerName(const std::string& container_id) const;
  const v1::ContainerDefinition& Definition(const std::string& container) const;
  std::string ContainerId(const std::string& container) const {
    return task::ContainerIdOf(id_, container);
  }
  std::string Lease() const { return LeaseOf(id_); }

  // The results of pulls, for creations, and flags that cancel a pull. Thread-safe.
  void SetImage(const std::string& container, image::PulledImage image);
  image::PulledImage Image(const std::string& container) const;
  std::shared_ptr<std::atomic<bool>> CancelFlag(const std::string& container);

  // The values of a container's `secrets` in all its lives, to remove them from reported output.
  // Only in memory. nullopt: the container has secrets that this process does not know.
  // Thread-safe.
  void AddSecrets(const std::string& container, const secret::ResolvedValues& values);
  std::optional<std::set<std::string>> SecretsOf(const std::string& container) const;
  void ForgetSecrets();

 private:
  void Apply(task::Step step);
  // Performs the actions from `first` on. After a Persist it continues once the record is durable.
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
