#include "controller/agents/assignments.h"

#include <algorithm>
#include <map>
#include <string>

#include "controller/state/arn.h"

namespace davit::controller::agents {
namespace {

using state::Task;

v1::Assignment AssignmentOf(const state::Place& place, const Task& task) {
  const v1::StoredTask& record = *task.record;
  v1::Assignment assignment;
  assignment.set_task_arn(state::ArnOf(place, record));
  assignment.set_cluster(record.cluster());
  assignment.set_version(record.assignment_version());
  assignment.set_desired_status(record.desired_status());
  if (record.desired_status() == v1::TaskStatus::STOPPED) {
    assignment.set_stop_reason(record.stopped_reason());
    assignment.set_stop_code(record.stop_code());
  }
  assignment.set_task_definition_arn(
      state::TaskDefinitionArn(place, record.family(), record.revision()));
  *assignment.mutable_overrides() = record.overrides();
  assignment.set_group(record.group());
  assignment.set_started_by(record.started_by());
  for (const v1::StoredContainer& container : record.containers()) {
    v1::ContainerIdentity* identity = assignment.add_containers();
    identity->set_name(container.name());
    identity->set_container_arn(
        state::ContainerArn(place, record.cluster(), record.id(), container.id()));
    *identity->mutable_gpu_ids() = container.gpu_ids();
    identity->set_may_have_run(container.last_status() >= v1::ContainerStatus::RUNNING);
  }
  return assignment;
}

void Add(const state::Place& place, const Task& task, change::Assignments* set) {
  set->assignments.push_back(AssignmentOf(place, task));
  if (task.revision == nullptr) return;
  const std::string& arn = set->assignments.back().task_definition_arn();
  const bool is_known = std::any_of(set->definitions.begin(), set->definitions.end(),
                                    [&arn](const auto& entry) { return entry.first == arn; });
  if (!is_known) set->definitions.emplace_back(arn, task.revision->record);
}

}  // namespace

void SendComplete(const state::Instance& instance, change::Change* change) {
  change::Assignments set;
  set.is_complete = true;
  set.protocol_version = instance.session->protocol_version;
  for (const auto& [id, task] : instance.tasks) {
    if (!task->is_stopped()) Add(change->place(), *task, &set);
  }
  change->SendAssignments(instance.session->id, std::move(set));
}

void SendChanged(change::Change* change) {
  // Each task once, with what it was before the command; sorted, so that the outcome does not
  // depend on addresses.
  std::map<std::string, rows::Ref<v1::StoredTask>> changed;
  for (const change::Change::Write& write : change->writes()) {
    const auto* before = std::get_if<rows::Ref<v1::StoredTask>>(&write.before.record);
    if (before != nullptr) changed.try_emplace(write.mutation.key, *before);
  }
  std::map<std::string, change::Assignments> sets;  // by session id
  for (const auto& [key, before] : changed) {
    const auto [cluster, id] = rows::SplitName(rows::NameIn(key));
    const Task* task = change->state().FindTask(cluster, id);
    if (task == nullptr || task->instance == nullptr || !task->instance->is_connected()) continue;
    const bool is_told = task->is_stopped() || before == nullptr ||
                         before->assignment_version() != task->record->assignment_version();
    if (!is_told) continue;
    change::Assignments& set = sets[task->instance->session->id];
    set.protocol_version = task->instance->session->protocol_version;
    if (task->is_stopped()) {
      set.removed_task_arns.push_back(state::ArnOf(change->place(), *task->record));
    } else {
      Add(change->place(), *task, &set);
    }
  }
  for (auto& [session_id, set] : sets) change->SendAssignments(session_id, std::move(set));
}

}  // namespace davit::controller::agents
