#ifndef DAVIT_AGENT_SUPERVISOR_ORPHANS_H_
#define DAVIT_AGENT_SUPERVISOR_ORPHANS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/supervisor/host_inventory.h"
#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

// Keeps an eye on what is ours on the host and belongs to no task that the agent knows: after a
// lost store, a cloned disk or a crash between two steps. Pure; not thread-safe.
//   * What runs is left alone until the controller assigns it (it is adopted) or confirms its stop.
//   * What does not run is given up for removal once it was seen for the grace period.
//   * What another agent's label claims is never touched.
//   * Logs stay for as long as those of a task that has just stopped.
class Orphans {
 public:
  // `agent_ids`: this agent's label, and those it had before (a cloned disk).
  Orphans(std::set<std::string> agent_ids, absl::Duration grace)
      : agent_ids_(std::move(agent_ids)), grace_(grace) {}

  // Compares with what the agent knows; `now` is monotonic. Returns the ids whose remains are to be
  // removed now.
  std::vector<std::string> Update(const HostInventory& inventory,
                                  const std::set<std::string>& known_ids, absl::Duration now);
  // The same of logs, which are kept for `keep` since they were first seen.
  std::vector<std::string> UpdateLogs(const HostInventory& inventory,
                                      const std::set<std::string>& known_ids, absl::Duration now,
                                      absl::Duration keep);
  // ARNs of those that run.
  std::set<std::string> Running() const;
  // nullptr: no orphan has this id.
  const HostTask* Find(const std::string& task_id) const;
  // It has an owner now, or is being removed.
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
  std::map<std::string, absl::Duration> logs_;  // by task id: when they were first seen
};

// What the labels tell of a task: enough to stop it, report its end and remove it.
v1::Assignment AssignmentFromLabels(const HostTask& task);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_ORPHANS_H_
