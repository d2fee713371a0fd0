#ifndef DAVIT_AGENT_SUPERVISOR_LOOKOUT_H_
#define DAVIT_AGENT_SUPERVISOR_LOOKOUT_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/supervisor/host_inventory.h"
#include "agent/supervisor/pools.h"
#include "agent/supervisor/post_mortem.h"
#include "agent/supervisor/task.h"
#include "base/timers.h"

namespace davit::supervisor {

// Asks the runtime what has become of containers, on behalf of tasks, which hear of it as Observed.
//   * One task's question costs calls for its own containers only.
//   * A look at the whole host costs one listing, which answers for all tasks and is what the
//     inventory is made of.
// While the runtime cannot be asked there is no answer, and the question stays: a single one is
// repeated here, a look at the host by whoever wanted it. Public calls are thread-safe, unless they
// say otherwise; nothing blocks.
class Lookout {
 public:
  struct Deps {
    Executor* serial;            // where the state below is touched
    BlockingExecutor* blocking;  // for calls to the runtime and the kernel
    Timers* timers;
    const PostMortems* post_mortems;
    HostParts host;
  };
  using Done = std::function<void(const absl::StatusOr<HostInventory>& inventory)>;
  explicit Lookout(const Deps& deps) : deps_(deps) {}

  // On the serial only: the host was restarted since this task's record was made.
  void NoteRebootSince(const std::string& task_id) { rebooted_.insert(task_id); }
  // Before the first look at the host this does nothing: that look asks for everybody.
  void Ask(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot);
  // Looks at the whole host, and asks for these tasks: all that are not STOPPED. `done` is called
  // on the serial. On the serial only; not again before `done` was called.
  void LookAtHost(const std::vector<std::shared_ptr<Task>>& tasks, Done done);

 private:
  using Containers = std::map<std::string, runtime::ContainerInfo>;  // by container id
  struct Question {
    std::shared_ptr<Task> task;
    std::map<std::string, int> attempts;  // of its containers when it asked; not of ended ones
  };
  // The questions of one task: one is being answered, the latest other one waits.
  struct Single {
    std::optional<Question> next;
  };

  static Question QuestionOf(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot);
  void AskSingly(Question question);
  void BeginSingle(const Question& question);
  void EndSingle(const Question& question, absl::StatusOr<task::Observed> observed);
  void BeginListing();
  void Answer(const absl::StatusOr<std::vector<runtime::ContainerInfo>>& listed,
              const std::vector<Question>& questions);
  void Tell(Task* task, task::Observed observed);
  absl::StatusOr<Containers> InspectAll(const Question& question) const;
  task::Observed Sightings(const Question& question, const Containers& containers) const;

  const Deps deps_;
  // Only on the serial.
  bool has_begun_ = false;                     // the first look at the host
  size_t gathering_ = 0;                       // tasks that are still to put their question
  std::map<std::string, Question> questions_;  // by task id: for the listing that is about to begin
  Done done_;
  std::map<std::string, Single> singles_;  // by task id
  std::set<std::string> rebooted_;         // ids of tasks that were not observed since
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_LOOKOUT_H_
