#ifndef DAVIT_AGENT_SUPERVISOR_TASK_EFFECTS_H_
#define DAVIT_AGENT_SUPERVISOR_TASK_EFFECTS_H_

#include <memory>
#include <string>
#include <vector>

#include "agent/supervisor/container_creation.h"
#include "agent/supervisor/container_inputs.h"
#include "agent/supervisor/container_life.h"
#include "agent/supervisor/pools.h"
#include "agent/supervisor/task.h"
#include "agent/supervisor/task_provisioning.h"
#include "agent/supervisor/task_removal.h"
#include "base/timers.h"

namespace davit::supervisor {

// Performs the actions of tasks on this host. Each action runs on a pool, may block there, and
// returns to the task as an event with its attempt number. All names are derived from the task's
// id, so repeating an action is harmless. Thread-safe.
class TaskEffects final : public Effects {
 public:
  // The supervisor, for actions that need all tasks.
  class Host {
   public:
    virtual ~Host() = default;
    virtual void Admit(const std::shared_ptr<Task>& task, bool is_on_host) = 0;
    virtual void Release(const std::string& task_id) = 0;
    virtual void Observe(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot) = 0;
    virtual void Report(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot) = 0;
  };
  struct Deps {
    Pools pools;
    Timers* timers;
    Host* host;
    // The phases of a task and of its containers.
    const TaskProvisioning* provisioning;
    const ContainerInputs* inputs;
    const ContainerCreation* creation;
    const ContainerLife* life;
    const TaskRemoval* removal;
  };
  explicit TaskEffects(const Deps& deps) : deps_(deps) {}

  void Begin(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot,
             const task::Action& action) override;
  absl::Status RemoveFromHost(const std::string& task_id,
                              const std::vector<std::string>& containers) override {
    return deps_.removal->RemoveFromHost(task_id, containers);
  }

 private:
  void BeginStart(const std::shared_ptr<Task>& task, const task::Start& start);
  void BeginSignal(const std::shared_ptr<Task>& task, const task::Signal& signal);
  void BeginPull(const std::shared_ptr<Task>& task, const task::Pull& pull);
  void BeginDeprovision(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot,
                        int attempt);
  void BeginCreate(const std::shared_ptr<Task>& task, const task::Create& action);
  void BeginAttach(const std::shared_ptr<Task>& task, const task::Create& action,
                   std::shared_ptr<const secret::ResolvedValues> values);

  const Deps deps_;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TASK_EFFECTS_H_
