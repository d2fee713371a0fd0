#include "agent/supervisor/orphans.h"

#include <utility>

namespace davit::supervisor {

std::vector<std::string> Orphans::Update(const HostInventory& inventory,
                                         const std::set<std::string>& known_ids, absl::Time now) {
  std::map<std::string, Orphan> seen;
  std::vector<std::string> to_remove;
  for (const auto& [id, task] : inventory.tasks) {
    if (known_ids.count(id) > 0) continue;
    if (!task.agent.empty() && agent_ids_.count(task.agent) == 0) continue;
    const auto before = orphans_.find(id);
    const absl::Time first_seen = before == orphans_.end() ? now : before->second.first_seen;
    seen[id] = Orphan{task, first_seen};
    if (!task.runs && now - first_seen >= grace_) to_remove.push_back(id);
  }
  orphans_ = std::move(seen);
  return to_remove;
}

std::set<std::string> Orphans::Running() const {
  std::set<std::string> arns;
  for (const auto& [id, orphan] : orphans_) {
    if (orphan.task.runs && !orphan.task.arn.empty()) arns.insert(orphan.task.arn);
  }
  return arns;
}

const HostTask* Orphans::Find(const std::string& task_id) const {
  const auto found = orphans_.find(task_id);
  return found == orphans_.end() ? nullptr : &found->second.task;
}

v1::Assignment AssignmentFromLabels(const HostTask& task) {
  v1::Assignment assignment;
  assignment.set_task_arn(task.arn);
  assignment.set_cluster(task.cluster);
  assignment.set_desired_status(v1::TaskStatus::STOPPED);
  for (const std::string& container : task.containers) {
    assignment.mutable_task_definition()->add_container_definitions()->set_name(container);
  }
  return assignment;
}

}  // namespace davit::supervisor
