#ifndef DAVIT_AGENT_SUPERVISOR_POST_MORTEM_H_
#define DAVIT_AGENT_SUPERVISOR_POST_MORTEM_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/resource/task_cgroups.h"
#include "agent/supervisor/task.h"
#include "agent/supervisor/task_files.h"

namespace davit::supervisor {

// The last `count` lines of `text` in a form that may be reported: without secrets, control
// characters, escape sequences and empty lines, at most 1024 bytes each. A secret of several lines
// is also found line by line. Pure.
std::vector<std::string> TellableLines(absl::string_view text, const std::set<std::string>& secrets,
                                       size_t count);

// Collects facts about containers that have ended. Thread-safe; borrows its sources. Calls block on
// kernel files and on the disk: call them from a pool.
class PostMortems {
 public:
  struct Options {
    int log_lines = 5;       // 0: no output of containers leaves their log files
    std::string kernel_log;  // "/dev/kmsg"; empty: not read
  };
  PostMortems(Options options, const resource::TaskCgroups* cgroups, const TaskFiles* files)
      : options_(std::move(options)), cgroups_(cgroups), files_(files) {}

  // While the container's cgroup is there. The last lines are those that davit-logger has written
  // by now: some may be on their way.
  task::PostMortem Examine(const Task& task, const std::string& container) const;
  // What is missing from the container's log and why; empty: nothing that is known. Says so in the
  // agent's log, too.
  std::string FindLogTrouble(const Task& task, const std::string& container) const;
  // nullopt: there is no log, or the container has secrets that this agent does not know, because
  // one before it made the container.
  std::optional<std::vector<std::string>> LastLines(const Task& task,
                                                    const std::string& container) const;

 private:
  const Options options_;
  const resource::TaskCgroups* const cgroups_;
  const TaskFiles* const files_;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_POST_MORTEM_H_
