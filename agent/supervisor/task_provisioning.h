#ifndef DAVIT_AGENT_SUPERVISOR_TASK_PROVISIONING_H_
#define DAVIT_AGENT_SUPERVISOR_TASK_PROVISIONING_H_

#include <string>

#include "agent/resource/task_cgroups.h"
#include "agent/runtime/runtime.h"
#include "agent/spec/oci_spec.h"
#include "agent/supervisor/task.h"
#include "agent/supervisor/task_files.h"

namespace davit::supervisor {

// The first phase of a task: what it has as a whole is made. Thread-safe; blocks: on a pool only.
class TaskProvisioning {
 public:
  struct Deps {
    runtime::Runtime* runtime;
    resource::TaskCgroups* cgroups;
    const TaskFiles* files;
    const spec::HostFacts* facts;
    std::string agent_label;  // LabelsOf()
    int pids_limit = 0;       // per task; 0: none
  };
  explicit TaskProvisioning(Deps deps) : deps_(std::move(deps)) {}

  // Cgroup, volumes, log folder, lease, and what the containers share by pidMode and ipcMode. Done
  // if it is there. Failed: the definition has members that this agent does not support.
  task::Outcome Provision(const Task& task) const;

 private:
  absl::Status BeginSharing(const Task& task) const;
  const Deps deps_;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TASK_PROVISIONING_H_
