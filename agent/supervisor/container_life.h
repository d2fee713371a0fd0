#ifndef DAVIT_AGENT_SUPERVISOR_CONTAINER_LIFE_H_
#define DAVIT_AGENT_SUPERVISOR_CONTAINER_LIFE_H_

#include <string>

#include "agent/resource/task_cgroups.h"
#include "agent/runtime/runtime.h"
#include "agent/supervisor/task.h"

namespace davit::supervisor {

// What happens to containers that are made: start, checks, signals. Thread-safe; blocks: on pools
// only.
class ContainerLife {
 public:
  struct Deps {
    runtime::Runtime* runtime;
    resource::TaskCgroups* cgroups;
  };
  explicit ContainerLife(const Deps& deps) : deps_(deps) {}

  // The pid. OK if it was started before.
  absl::StatusOr<int> Start(const Task& task, const std::string& container) const;
  absl::Status Signal(const Task& task, const task::Signal& signal) const;
  task::Checked Check(const Task& task, const task::Check& check) const;

 private:
  const Deps deps_;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_CONTAINER_LIFE_H_
