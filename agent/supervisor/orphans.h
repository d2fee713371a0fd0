#ifndef DAVIT_AGENT_SUPERVISOR_ORPHANS_H_
#define DAVIT_AGENT_SUPERVISOR_ORPHANS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/supervisor/host_inventory.h"
#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

// Orphans are tasks on the host that carry our label but that the agent has no record of: after a
// lost store, a cloned disk or a crash between two steps. This class decides what happens to them.
// Pure; not thread-safe.
//   * A running orphan stays until the controller assigns it (it is adopted) or confirms its stop.
//   * An orphan that does not run is removed once it was seen for the grace period.
//   * Tasks with another agent's label are never touched.
//   * Logs stay as long as those of a task that has just stopped.
class Orphans {
 public:
  // `agent_ids`: this agent's label, and its former ones (a cloned disk).
  Orphans(std::set<std::string> agent_ids, absl::Duration grace)
      : agent_ids_(std::move(agent_ids)), grace_(grace) {}

  // Compares an inventory with the known tasks; `now` is monotonic. Returns the ids of the tasks to
  // remove now.
  std::vector<std::string> Update(const HostInventory& inventory,
                                  const std::set<std::string>& known_ids, absl::Duration now);
  // The same for logs, which stay for `keep` after they were first seen.
  std::vector<std::string> UpdateLogs(const HostInventory& inventory,
                                      const std::set<std::string>& known_ids, absl::Duration now,
                                      absl::Duration keep);
  // The ARNs of running orphans.
  std::set<std::string> Running() const;
  // nullptr: no orphan has this id.
  const HostTask* Find(const std::string& task_id) const;
  // The task is known now, or is being removed.
  void Forget(const std::string& task_id) { orphans_.erase(task_id); }
  size_t size() const { return orphans_.size(); }

 private:
  struct Orphan {
    HostTask task;
    absl::Duration first_seen;
  };
  const std::set<std::string> agent_ids_;
  const absl::Duration grace_;
  std::map<std::string, Orphan> orphans_;       // by task id
  std::map<std::string, absl::Duration> logs_;  // by task id: time of the first sighting
};

// An assignment made from labels: enough to stop the task, report its end and remove it.
v1::Assignment AssignmentFromLabels(const HostTask& task);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_ORPHANS_H_
