#ifndef DAVIT_AGENT_SUPERVISOR_LOOKOUT_H_
#define DAVIT_AGENT_SUPERVISOR_LOOKOUT_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/runtime/runtime.h"
#include "agent/supervisor/pools.h"
#include "agent/supervisor/post_mortem.h"
#include "agent/supervisor/task.h"
#include "base/timers.h"

namespace davit::supervisor {

// Looks at the runtime on behalf of tasks: one listing answers all that have asked by then, and a
// task that asks during a listing gets the next one, since what a listing shows may be older than
// the question. Answers come as Observed; while the runtime cannot be asked there are none, and the
// question stays. Public calls are thread-safe, unless they say otherwise.
class Lookout {
 public:
  struct Deps {
    Executor* serial;            // where the state below is touched
    BlockingExecutor* blocking;  // for calls to the runtime and the kernel
    Timers* timers;
    runtime::Runtime* runtime;
    const PostMortems* post_mortems;
  };
  explicit Lookout(const Deps& deps) : deps_(deps) {}

  // On the serial only: the host was restarted since this task's record was made.
  void NoteRebootSince(const std::string& task_id) { rebooted_.insert(task_id); }
  void Ask(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot);

 private:
  using Containers = std::map<std::string, runtime::ContainerInfo>;  // by container id
  struct Question {
    std::shared_ptr<Task> task;
    std::map<std::string, int> attempts;  // of its containers when it asked; not of ended ones
  };
  void BeginListing();
  void Answer(absl::StatusOr<std::vector<runtime::ContainerInfo>> listed,
              std::vector<Question> questions);
  task::Observed Sightings(const Question& question, const Containers& containers) const;

  const Deps deps_;
  // Only on the serial.
  std::vector<Question> questions_;
  bool is_listing_ = false;
  std::set<std::string> rebooted_;  // ids of tasks that were not observed since
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_LOOKOUT_H_
