#include "agent/supervisor/orphans.h"

#include <algorithm>
#include <utility>

#include "agent/spec/pause.h"

namespace davit::supervisor {

std::vector<std::string> Orphans::Update(const HostInventory& inventory,
                                         const std::set<std::string>& known_ids,
                                         absl::Duration now) {
  std::map<std::string, Orphan> seen;
  std::vector<std::string> to_remove;
  for (const auto& [id, task] : inventory.tasks) {
    if (known_ids.count(id) > 0) continue;
    if (!task.agent.empty() && agent_ids_.count(task.agent) == 0) continue;
    const auto before = orphans_.find(id);
    const absl::Duration first_seen = before == orphans_.end() ? now : before->second.first_seen;
    seen[id] = Orphan{task, first_seen};
    if (!task.runs && now - first_seen >= grace_) to_remove.push_back(id);
  }
  orphans_ = std::move(seen);
  return to_remove;
}

std::vector<std::string> Orphans::UpdateLogs(const HostInventory& inventory,
                                             const std::set<std::string>& known_ids,
                                             absl::Duration now, absl::Duration keep) {
  std::map<std::string, absl::Duration> seen;
  std::vector<std::string> to_remove;
  for (const std::string& id : inventory.logs) {
    if (known_ids.count(id) > 0 || orphans_.count(id) > 0) continue;
    const auto before = logs_.find(id);
    const absl::Duration first_seen = before == logs_.end() ? now : before->second;
    seen[id] = first_seen;
    if (now - first_seen >= keep) to_remove.push_back(id);
  }
  logs_ = std::move(seen);
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
  const bool has_pause =
      std::count(task.containers.begin(), task.containers.end(), kPauseContainer) > 0;
  for (const std::string& container : task.containers) {
    v1::ContainerDefinition* definition =
        assignment.mutable_task_definition()->add_container_definitions();
    definition->set_name(container);
    if (!has_pause || container == kPauseContainer) continue;
    // The end of the pause container ends all containers in its namespace, so it must stop last.
    v1::ContainerDependency* dependency = definition->add_depends_on();
    dependency->set_container_name(kPauseContainer);
    dependency->set_condition("START");
  }
  return assignment;
}

}  // namespace davit::supervisor
