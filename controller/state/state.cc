#include "controller/state/state.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/definition/reservation.h"
#include "base/status.h"

namespace davit::controller::state {
namespace {

bool IsRunning(v1::TaskStatus::Value status) { return status == v1::TaskStatus::RUNNING; }
bool IsPending(v1::TaskStatus::Value status) { return status < v1::TaskStatus::RUNNING; }

bool ChangesNeeds(const v1::TaskOverride& overrides) {
  return overrides.has_cpu() || overrides.has_memory() ||
         std::any_of(overrides.container_overrides().begin(), overrides.container_overrides().end(),
                     [](const v1::ContainerOverride& container) {
                       return container.has_cpu() || container.has_memory() ||
                              container.has_memory_reservation() ||
                              !container.resource_requirements().empty();
                     });
}

std::string HostKey(const v1::StoredContainerInstance& record) {
  return absl::StrCat(record.cluster(), "/", record.ec2_instance_id());
}

std::string NameOf(const v1::StoredTask& record) {
  return absl::StrCat(record.cluster(), "/", record.id());
}

template <typename Table, typename Key>
auto Find(const Table& table, const Key& key) {
  const auto found = table.find(key);
  return found == table.end() ? nullptr : &*found->second;
}

}  // namespace

rows::Mutation State::Apply(const rows::Mutation& mutation) {
  const absl::string_view name = rows::NameIn(mutation.key);
  rows::Record before = std::visit(
      [&](const auto& record) -> rows::Record { return Set(name, record); }, mutation.record);
  return {mutation.key, std::move(before), mutation.durability};
}

absl::Status State::Check(const rows::Mutation& mutation) const {
  const bool has_cluster = mutation.record.index() > rows::Record(Ref<v1::StoredCluster>()).index();
  if (!has_cluster) return absl::OkStatus();
  const auto [cluster, id] = rows::SplitName(rows::NameIn(mutation.key));
  if (FindCluster(cluster) != nullptr) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("row ", mutation.key, ": its cluster is missing"));
}

absl::Status State::Load(const std::vector<rows::Mutation>& mutations) {
  for (const rows::Mutation& mutation : mutations) {
    RETURN_IF_ERROR(Check(mutation));
    Apply(mutation);
  }
  return absl::OkStatus();
}

Ref<v1::StoredMeta> State::Set(absl::string_view /*name*/, const Ref<v1::StoredMeta>& record) {
  return std::exchange(meta_, record);
}

Ref<v1::StoredFamily> State::Set(absl::string_view name, const Ref<v1::StoredFamily>& record) {
  const auto family = families_.try_emplace(std::string(name)).first;
  Ref<v1::StoredFamily> before = std::exchange(family->second.record, record);
  if (record == nullptr && family->second.revisions.empty()) families_.erase(family);
  return before;
}

Ref<v1::StoredTaskDefinition> State::Set(absl::string_view name,
                                         const Ref<v1::StoredTaskDefinition>& record) {
  const size_t colon = name.rfind(':');
  const auto family = families_.try_emplace(std::string(name.substr(0, colon))).first;
  const int number = std::atoi(std::string(name.substr(colon + 1)).c_str());
  auto& revisions = family->second.revisions;
  if (record == nullptr) {
    const auto entry = revisions.find(number);
    if (entry == revisions.end()) return nullptr;
    Ref<v1::StoredTaskDefinition> before = std::move(entry->second.record);
    revisions.erase(entry);
    if (revisions.empty() && family->second.record == nullptr) families_.erase(family);
    return before;
  }
  Revision& revision = revisions[number];
  if (revision.record == nullptr) {
    revision.needs =
        std::make_shared<const Reservation>(ReservationOf(record->content(), v1::TaskOverride()));
  }
  return std::exchange(revision.record, record);
}

Ref<v1::StoredCluster> State::Set(absl::string_view name, const Ref<v1::StoredCluster>& record) {
  const auto cluster = clusters_.try_emplace(std::string(name)).first;
  Ref<v1::StoredCluster> before = std::exchange(cluster->second.record, record);
  if (record == nullptr) clusters_.erase(cluster);
  return before;
}

Ref<v1::StoredContainerInstance> State::Set(absl::string_view name,
                                            const Ref<v1::StoredContainerInstance>& record) {
  const auto [cluster_name, id] = rows::SplitName(name);
  Cluster& cluster = clusters_.find(cluster_name)->second;
  const auto [entry, is_new] = cluster.instances.try_emplace(std::string(id));
  if (is_new) {
    entry->second = std::make_unique<Instance>();
    entry->second->host.arn = InstanceArn(place_, cluster_name, id);
  }
  Instance* const instance = entry->second.get();
  Ref<v1::StoredContainerInstance> before = std::exchange(instance->record, record);
  if (before != nullptr) instances_by_host_.erase(HostKey(*before));
  if (record == nullptr) {
    EraseInstance(&cluster, entry->first, instance);
    return before;
  }
  instances_by_host_[HostKey(*record)] = instance;
  RebuildHost(&cluster, instance);
  if (!is_new) return before;
  const auto homeless = homeless_.find(name);
  if (homeless == homeless_.end()) return before;
  for (Task* task : std::set<Task*>(std::move(homeless->second))) {
    Leave(&cluster, task);
    Enter(&cluster, task);
  }
  return before;
}

void State::RebuildHost(Cluster* cluster, Instance* instance) {
  capacity::Host& host = instance->host;
  cluster->hosts.Erase(&host);
  capacity::SetRegistered(instance->record->registered_resources(), &host);
  host.is_active = instance->record->status() == v1::ContainerInstanceStatus::ACTIVE;
  host.traits = traits_.Intern(instance->record->attributes());
  for (const auto& [id, task] : instance->tasks) {
    if (!task->is_stopped()) host.Reserve(*task->needs);
  }
  cluster->hosts.Insert(&host);
}

void State::EraseInstance(Cluster* cluster, const std::string& id, Instance* instance) {
  if (instance->session != nullptr) sessions_.erase(instance->session->id);
  const auto tasks = std::move(instance->tasks);
  for (const auto& [task_id, task] : tasks) Leave(cluster, task);
  cluster->hosts.Erase(&instance->host);
  cluster->instances.erase(id);
  for (const auto& [task_id, task] : tasks) Enter(cluster, task);
}

Ref<rows::Session> State::Set(absl::string_view name, const Ref<rows::Session>& record) {
  const auto [cluster_name, id] = rows::SplitName(name);
  Cluster& cluster = clusters_.find(cluster_name)->second;
  const auto entry = cluster.instances.find(id);
  if (entry == cluster.instances.end()) return nullptr;
  Instance* const instance = entry->second.get();
  cluster.hosts.Erase(&instance->host);
  Ref<rows::Session> before = std::exchange(instance->session, record);
  if (before != nullptr) sessions_.erase(before->id);
  if (record != nullptr) sessions_[record->id] = instance;
  instance->host.is_connected = record != nullptr && record->is_runtime_available;
  cluster.hosts.Insert(&instance->host);
  return before;
}

Ref<v1::StoredTask> State::Set(absl::string_view name, const Ref<v1::StoredTask>& record) {
  const auto [cluster_name, id] = rows::SplitName(name);
  Cluster& cluster = clusters_.find(cluster_name)->second;
  const auto entry = cluster.tasks.find(id);
  if (entry == cluster.tasks.end()) {
    if (record == nullptr) return nullptr;
    auto task = std::make_unique<Task>();
    task->record = record;
    Enter(&cluster, task.get());
    cluster.tasks.emplace(std::string(id), std::move(task));
    return nullptr;
  }
  Task* const task = entry->second.get();
  // The common change: it has come further on its host.
  if (record != nullptr && !task->is_stopped() &&
      record->last_status() != v1::TaskStatus::STOPPED &&
      record->instance_id() == task->record->instance_id()) {
    Count(&cluster, *task, -1);
    Ref<v1::StoredTask> before = std::exchange(task->record, record);
    Count(&cluster, *task, +1);
    return before;
  }
  Leave(&cluster, task);
  Ref<v1::StoredTask> before = std::exchange(task->record, record);
  if (record == nullptr) {
    cluster.tasks.erase(entry);
  } else {
    Enter(&cluster, task);
  }
  return before;
}

void State::Enter(Cluster* cluster, Task* task) {
  const v1::StoredTask& record = *task->record;
  task->revision = FindRevision(record.family(), record.revision());
  task->needs = NeedsOf(*task);
  const auto instance = cluster->instances.find(record.instance_id());
  task->instance = instance == cluster->instances.end() ? nullptr : instance->second.get();
  if (task->instance != nullptr) {
    task->instance->tasks[record.id()] = task;
  } else if (!record.instance_id().empty()) {
    homeless_[absl::StrCat(record.cluster(), "/", record.instance_id())].insert(task);
  }
  if (!record.client_token().empty()) {
    tokens_[absl::StrCat(record.cluster(), "/", record.client_token())].insert(record.id());
  }
  Count(cluster, *task, +1);
  if (task->is_stopped()) {
    stopped_.emplace(record.stopped_noted_at(), NameOf(record));
    return;
  }
  CountInGroup(cluster, *task, +1);
  if (task->instance == nullptr) return;
  cluster->hosts.Erase(&task->instance->host);
  task->instance->host.Reserve(*task->needs);
  cluster->hosts.Insert(&task->instance->host);
}

void State::Leave(Cluster* cluster, Task* task) {
  const v1::StoredTask& record = *task->record;
  if (task->instance != nullptr) {
    task->instance->tasks.erase(record.id());
  } else if (!record.instance_id().empty()) {
    const auto home = homeless_.find(absl::StrCat(record.cluster(), "/", record.instance_id()));
    if (home != homeless_.end()) home->second.erase(task);
    if (home != homeless_.end() && home->second.empty()) homeless_.erase(home);
  }
  if (!record.client_token().empty()) {
    const auto made = tokens_.find(absl::StrCat(record.cluster(), "/", record.client_token()));
    made->second.erase(record.id());
    if (made->second.empty()) tokens_.erase(made);
  }
  Count(cluster, *task, -1);
  if (task->is_stopped()) {
    stopped_.erase({record.stopped_noted_at(), NameOf(record)});
    return;
  }
  CountInGroup(cluster, *task, -1);
  if (task->instance == nullptr) return;
  cluster->hosts.Erase(&task->instance->host);
  task->instance->host.Release(*task->needs);
  cluster->hosts.Insert(&task->instance->host);
}

void State::Count(Cluster* cluster, const Task& task, int sign) {
  const v1::TaskStatus::Value status = task.record->last_status();
  const int running = IsRunning(status) ? sign : 0;
  const int pending = IsPending(status) ? sign : 0;
  counts_.at(static_cast<size_t>(status) / 100) += sign;
  cluster->running_count += running;
  cluster->pending_count += pending;
  if (task.instance == nullptr) return;
  task.instance->running_count += running;
  task.instance->pending_count += pending;
}

void State::CountInGroup(Cluster* cluster, const Task& task, int sign) {
  const auto group = cluster->groups.try_emplace(task.record->group()).first;
  group->second.task_count += sign;
  if (task.instance != nullptr) {
    const auto here = group->second.by_instance.try_emplace(task.instance).first;
    here->second += sign;
    if (here->second == 0) group->second.by_instance.erase(here);
  }
  if (group->second.task_count == 0) cluster->groups.erase(group);
}

Ref<Reservation> State::NeedsOf(const Task& task) const {
  static const auto* const kNothing = new Ref<Reservation>(std::make_shared<const Reservation>());
  if (task.revision == nullptr) return *kNothing;
  const v1::StoredTask& record = *task.record;
  const bool has_gpus =
      std::any_of(record.containers().begin(), record.containers().end(),
                  [](const auto& container) { return container.gpu_ids_size() > 0; });
  if (!has_gpus && !ChangesNeeds(record.overrides())) return task.revision->needs;
  auto needs = std::make_shared<Reservation>(
      ReservationOf(task.revision->record->content(), record.overrides()));
  for (const v1::StoredContainer& container : record.containers()) {
    needs->gpu_ids.insert(needs->gpu_ids.end(), container.gpu_ids().begin(),
                          container.gpu_ids().end());
  }
  return needs;
}

int64_t State::CountTasks(v1::TaskStatus::Value status) const {
  return counts_.at(static_cast<size_t>(status) / 100);
}

const Cluster* State::FindCluster(absl::string_view name) const {
  const auto found = clusters_.find(name);
  return found == clusters_.end() ? nullptr : &found->second;
}

const Revision* State::FindRevision(absl::string_view family, int revision) const {
  const auto found = families_.find(family);
  if (found == families_.end()) return nullptr;
  const auto entry = found->second.revisions.find(revision);
  return entry == found->second.revisions.end() ? nullptr : &entry->second;
}

const Instance* State::FindInstance(absl::string_view cluster, absl::string_view id) const {
  const Cluster* const found = FindCluster(cluster);
  return found == nullptr ? nullptr : Find(found->instances, id);
}

const Instance* State::FindInstanceByHost(absl::string_view cluster,
                                          absl::string_view ec2_instance_id) const {
  return Find(instances_by_host_, absl::StrCat(cluster, "/", ec2_instance_id));
}

const Instance* State::FindInstanceBySession(absl::string_view session_id) const {
  return Find(sessions_, session_id);
}

const Task* State::FindTask(absl::string_view cluster, absl::string_view id) const {
  const Cluster* const found = FindCluster(cluster);
  return found == nullptr ? nullptr : Find(found->tasks, id);
}

const Instance* State::FindInstanceByArn(absl::string_view arn) const {
  if (!absl::ConsumePrefix(&arn, arn_prefix_) || !absl::ConsumePrefix(&arn, "container-instance/"))
    return nullptr;
  const auto [cluster, id] = rows::SplitName(arn);
  return FindInstance(cluster, id);
}

const Task* State::FindTaskByArn(absl::string_view arn) const {
  if (!absl::ConsumePrefix(&arn, arn_prefix_) || !absl::ConsumePrefix(&arn, "task/"))
    return nullptr;
  const auto [cluster, id] = rows::SplitName(arn);
  return FindTask(cluster, id);
}

std::vector<const Task*> State::FindTasksByToken(absl::string_view cluster,
                                                 absl::string_view token) const {
  std::vector<const Task*> tasks;
  const auto found = tokens_.find(absl::StrCat(cluster, "/", token));
  if (found == tokens_.end()) return tasks;
  for (const std::string& id : found->second) tasks.push_back(FindTask(cluster, id));
  return tasks;
}

std::vector<const Task*> State::StoppedBefore(int64_t time, size_t limit) const {
  std::vector<const Task*> tasks;
  for (const auto& [stopped_at, name] : stopped_) {
    if (stopped_at >= time || tasks.size() == limit) break;
    const auto [cluster, id] = rows::SplitName(name);
    tasks.push_back(FindTask(cluster, id));
  }
  return tasks;
}

}  // namespace davit::controller::state
