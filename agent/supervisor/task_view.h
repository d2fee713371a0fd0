#ifndef DAVIT_AGENT_SUPERVISOR_TASK_VIEW_H_
#define DAVIT_AGENT_SUPERVISOR_TASK_VIEW_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/supervisor/task.h"

namespace davit::supervisor {

// What the agent shows of a task to people and to Prometheus.
struct TaskView {
  v1::TaskState state;
  std::string desired_status;  // RUNNING or STOPPED
  std::string family;
  int revision = 0;
  bool observed = true;  // false: what is shown is from the store, the runtime was not asked yet
  struct Container {
    std::string image;
    int pid = 0;
    std::map<task::ProbeKind, task::Probe> probes;
    std::optional<task::PostMortem> post_mortem;  // of its latest end; nullopt: it has none yet
  };
  std::vector<Container> containers;  // in the order of state.containers()
};

TaskView ViewOf(const Task& task, const task::TaskSnapshot& snapshot);

// Collects the views of many tasks, each from its own mailbox. Thread-safe. Shared: what is late
// comes when nobody waits any more.
class ViewGathering : public std::enable_shared_from_this<ViewGathering> {
 public:
  // Once.
  void Begin(const std::vector<std::shared_ptr<Task>>& tasks);
  // Once. Blocks until all views are there. DeadlineExceeded: some are not.
  absl::StatusOr<std::vector<TaskView>> Wait(absl::Duration timeout);

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<TaskView> views_ ABSL_GUARDED_BY(mu_);
  std::optional<size_t> missing_ ABSL_GUARDED_BY(mu_);  // nullopt: nobody has counted yet
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_TASK_VIEW_H_
