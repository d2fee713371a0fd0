#ifndef DAVIT_AGENT_SUPERVISOR_TASK_EFFECTS_H_
#define DAVIT_AGENT_SUPERVISOR_TASK_EFFECTS_H_

#include <memory>
#include <string>
#include <vector>

#include "agent/image/image_puller.h"
#include "agent/log/log_uri.h"
#include "agent/network/network.h"
#include "agent/resource/task_cgroups.h"
#include "agent/runtime/runtime.h"
#include "agent/secret/value_resolver.h"
#include "agent/spec/oci_spec.h"
#include "agent/supervisor/pools.h"
#include "agent/supervisor/post_mortem.h"
#include "agent/supervisor/task.h"
#include "agent/supervisor/task_files.h"
#include "base/timers.h"

namespace davit::supervisor {

// Carries out the actions of tasks on this host: each is posted to a pool, blocks there, and comes
// back to the task as an event with its attempt number. All names are derived from the task's id,
// so repeating an action is harmless. Thread-safe.
class TaskEffects final : public Effects {
 public:
  // What an action asks of the supervisor, which knows all tasks.
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
    runtime::Runtime* runtime;
    image::ImagePuller* puller;
    resource::TaskCgroups* cgroups;
    network::Network* network;
    const TaskFiles* files;
    Host* host;
    spec::HostFacts facts;
    log::LogOptions log;      // `file` is filled in per container
    std::string agent_label;  // "davit.agent" of containers and leases
    int pids_limit = 0;       // per task; 0: none
    const secret::ValueResolver* values =
        nullptr;                                // null: environmentFiles and secrets are refused
    const PostMortems* post_mortems = nullptr;  // required
  };
  explicit TaskEffects(Deps deps) : deps_(std::move(deps)) {}

  void Begin(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot,
             const task::Action& action) override;
  absl::Status RemoveFromHost(const std::string& task_id,
                              const std::vector<std::string>& containers) override;

 private:
  // Each runs on a pool and returns what happened.
  task::Outcome Provision(const Task& task);
  task::Pulled Pull(Task* task, const std::string& container, int attempt);
  absl::StatusOr<network::Attachment> Attach(const Task& task, const std::string& container);
  absl::Status Create(Task* task, const std::string& container,
                      const network::Attachment& attachment, const secret::ResolvedValues& values);
  absl::StatusOr<std::string> BuildSpec(Task* task, const v1::ContainerDefinition& definition,
                                        const network::Attachment& attachment,
                                        const runtime::Rootfs& rootfs,
                                        const secret::ResolvedValues& values);
  // What the containers of a task share by pidMode and ipcMode.
  absl::Status BeginSharing(const Task& task);
  absl::Status PlaceShared(const Task& task, spec::ContainerPlace* place);
  absl::Status PlaceVolumes(Task* task, const v1::ContainerDefinition& definition,
                            const runtime::Rootfs& rootfs, const secret::ResolvedValues& values,
                            spec::ContainerPlace* place);
  absl::StatusOr<secret::ResolvedValues> ResolveValues(const Task& task,
                                                       const std::string& container);
  // AlreadyExists: it runs.
  absl::Status ClearEarlierLife(const std::string& container_id);
  absl::StatusOr<int> Start(const Task& task, const std::string& container);
  absl::Status Signal(const Task& task, const task::Signal& signal);
  task::Checked Check(const Task& task, const task::Check& check);
  void BeginCreate(const std::shared_ptr<Task>& task, const task::Create& action);
  void BeginAttach(const std::shared_ptr<Task>& task, const task::Create& action,
                   std::shared_ptr<const secret::ResolvedValues> values);
  std::map<std::string, std::string> LabelsOf(const Task& task) const;

  task::Deprovisioned Deprovision(Task* task, const std::vector<std::string>& containers,
                                  int attempt);

  const Deps deps_;
};

// Done, retry or failed, by the status' code; the reason begins with `error_name`
// ("CannotStartContainerError") unless the message names an error itself.
task::Outcome ToOutcome(const absl::Status& status, absl::string_view error_name);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TASK_EFFECTS_H_
