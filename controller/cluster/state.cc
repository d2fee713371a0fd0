#include "controller/cluster/state.h"

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/ids.h"
#include "base/status.h"

namespace davit::cluster {
namespace {

constexpr char kMetaKey[] = "meta";

// Tasks refer to instances and revisions, those to clusters: rows are read in this order.
constexpr const char* kLoadOrder[] = {kMetaKey,   "family/",   "task-definition/",
                                      "cluster/", "instance/", "task/"};

std::string KeyOf(const v1::StoredCluster& record) {
  return absl::StrCat("cluster/", record.cluster().cluster_name());
}
std::string KeyOf(const v1::StoredTaskDefinition& record) {
  return absl::StrCat("task-definition/", record.task_definition().family(), ":",
                      record.task_definition().revision());
}
std::string KeyOf(const v1::StoredContainerInstance& record) {
  return absl::StrCat("instance/", record.cluster(), "/",
                      ShortId(record.instance().container_instance_arn()));
}
std::string KeyOf(const v1::StoredTask& record) {
  return absl::StrCat("task/", record.cluster(), "/", ShortId(record.task().task_arn()));
}

template <typename Record>
absl::StatusOr<Record> Parse(const std::string& key, const std::string& value) {
  Record record;
  if (!record.ParseFromString(value)) {
    return absl::DataLossError(absl::StrCat("row ", key, " is not a ", record.GetTypeName()));
  }
  return record;
}

bool IsRunning(v1::TaskStatus::Value status) { return status == v1::TaskStatus::RUNNING; }
bool IsPending(v1::TaskStatus::Value status) { return status < v1::TaskStatus::RUNNING; }

}  // namespace

absl::Status State::Load(const std::vector<std::pair<std::string, std::string>>& rows) {
  size_t read = 0;
  for (const char* prefix : kLoadOrder) {
    for (const auto& [key, value] : rows) {
      if (!absl::StartsWith(key, prefix)) continue;
      RETURN_IF_ERROR(LoadRow(key, value), "loading the cluster");
      ++read;
    }
  }
  changes_.clear();
  if (read != rows.size()) {
    return absl::DataLossError(
        absl::StrCat("loading the cluster: ", rows.size() - read, " rows have unknown keys"));
  }
  return absl::OkStatus();
}

absl::Status State::LoadRow(const std::string& key, const std::string& value) {
  if (key == kMetaKey) {
    ASSIGN_OR_RETURN(const auto record, Parse<v1::StoredMeta>(key, value));
    epoch_ = record.epoch();
  } else if (absl::StartsWith(key, "family/")) {
    ASSIGN_OR_RETURN(const auto record, Parse<v1::StoredFamily>(key, value));
    families_[std::string(absl::StripPrefix(key, "family/"))].last_revision =
        record.last_revision();
  } else if (absl::StartsWith(key, "task-definition/")) {
    ASSIGN_OR_RETURN(auto record, Parse<v1::StoredTaskDefinition>(key, value));
    PutRevision(std::move(record));
  } else if (absl::StartsWith(key, "cluster/")) {
    ASSIGN_OR_RETURN(auto record, Parse<v1::StoredCluster>(key, value));
    PutCluster(std::move(record));
  } else if (absl::StartsWith(key, "instance/")) {
    ASSIGN_OR_RETURN(auto record, Parse<v1::StoredContainerInstance>(key, value));
    if (FindCluster(record.cluster()) == nullptr)
      return absl::DataLossError(absl::StrCat(key, ": its cluster is missing"));
    PutInstance(std::move(record));
  } else {
    ASSIGN_OR_RETURN(auto record, Parse<v1::StoredTask>(key, value));
    if (FindCluster(record.cluster()) == nullptr)
      return absl::DataLossError(absl::StrCat(key, ": its cluster is missing"));
    PutTask(std::move(record));
  }
  return absl::OkStatus();
}

int64_t State::CountTasks(v1::TaskStatus::Value status) const {
  const auto found = counts_.find(status);
  return found == counts_.end() ? 0 : found->second;
}

Cluster* State::FindCluster(absl::string_view name) {
  const auto found = clusters_.find(std::string(name));
  return found == clusters_.end() ? nullptr : &found->second;
}

const Cluster* State::FindCluster(absl::string_view name) const {
  const auto found = clusters_.find(std::string(name));
  return found == clusters_.end() ? nullptr : &found->second;
}

const Revision* State::FindRevision(absl::string_view family, int revision) const {
  const auto found = families_.find(std::string(family));
  if (found == families_.end()) return nullptr;
  const auto entry = found->second.revisions.find(revision);
  return entry == found->second.revisions.end() ? nullptr : entry->second.get();
}

Instance* State::FindInstance(absl::string_view arn) {
  const auto found = instances_.find(arn);
  return found == instances_.end() ? nullptr : found->second;
}

Instance* State::FindInstanceByHost(absl::string_view cluster, absl::string_view ec2_instance_id) {
  const auto found = instances_by_host_.find(absl::StrCat(cluster, "/", ec2_instance_id));
  return found == instances_by_host_.end() ? nullptr : found->second;
}

Instance* State::FindInstanceBySession(absl::string_view session_id) {
  const auto found = sessions_.find(session_id);
  return found == sessions_.end() ? nullptr : found->second;
}

Task* State::FindTask(absl::string_view arn) {
  const auto found = tasks_.find(arn);
  return found == tasks_.end() ? nullptr : found->second;
}

std::vector<Task*> State::FindTasksByToken(absl::string_view cluster, absl::string_view token) {
  std::vector<Task*> tasks;
  const auto found = tokens_.find(absl::StrCat(cluster, "/", token));
  if (found == tokens_.end()) return tasks;
  for (const std::string& arn : found->second) tasks.push_back(tasks_.at(arn));
  return tasks;
}

std::vector<Task*> State::StoppedBefore(double time, size_t limit) {
  std::vector<Task*> tasks;
  for (const auto& [stopped_at, arn] : stopped_) {
    if (stopped_at >= time || tasks.size() == limit) break;
    tasks.push_back(tasks_.at(arn));
  }
  return tasks;
}

void State::PutEpoch(uint64_t epoch) {
  epoch_ = epoch;
  v1::StoredMeta record;
  record.set_epoch(epoch);
  changes_[kMetaKey] = record.SerializeAsString();
}

Cluster* State::PutCluster(v1::StoredCluster record) {
  changes_[KeyOf(record)] = record.SerializeAsString();
  Cluster& cluster = clusters_[record.cluster().cluster_name()];
  cluster.record = std::move(record);
  return &cluster;
}

Revision* State::PutRevision(v1::StoredTaskDefinition record) {
  changes_[KeyOf(record)] = record.SerializeAsString();
  const v1::TaskDefinition& definition = record.task_definition();
  Family& family = families_[definition.family()];
  if (definition.revision() > family.last_revision) {
    family.last_revision = definition.revision();
    v1::StoredFamily counter;
    counter.set_last_revision(family.last_revision);
    changes_[absl::StrCat("family/", definition.family())] = counter.SerializeAsString();
  }
  std::unique_ptr<Revision>& revision = family.revisions[definition.revision()];
  if (revision == nullptr) revision = std::make_unique<Revision>();
  revision->record = std::move(record);
  return revision.get();
}

Instance* State::PutInstance(v1::StoredContainerInstance record) {
  changes_[KeyOf(record)] = record.SerializeAsString();
  Cluster& cluster = clusters_.at(record.cluster());
  const std::string arn = record.instance().container_instance_arn();
  std::unique_ptr<Instance>& entry = cluster.instances[ShortId(arn)];
  const bool is_new = entry == nullptr;
  if (is_new) entry = std::make_unique<Instance>();
  entry->record = std::move(record);
  const bool is_connected = entry->host.is_connected;
  entry->host = capacity::HostFrom(arn, entry->record.instance());
  entry->host.is_connected = is_connected;
  for (const auto& [task_arn, task] : entry->tasks) {
    if (!task->is_stopped()) entry->host.Reserve(task->needs);
  }
  instances_[arn] = entry.get();
  instances_by_host_[absl::StrCat(entry->record.cluster(), "/",
                                  entry->record.instance().ec2_instance_id())] = entry.get();
  if (is_new) RebuildHosts(&cluster);
  return entry.get();
}

void State::RebuildHosts(Cluster* cluster) {
  cluster->hosts.clear();
  cluster->host_owners.clear();
  for (const auto& [id, instance] : cluster->instances) {
    cluster->hosts.push_back(&instance->host);
    cluster->host_owners.push_back(instance.get());
  }
}

Task* State::PutTask(v1::StoredTask record) {
  changes_[KeyOf(record)] = record.SerializeAsString();
  Cluster& cluster = clusters_.at(record.cluster());
  std::unique_ptr<Task>& entry = cluster.tasks[ShortId(record.task().task_arn())];
  if (entry == nullptr) {
    entry = std::make_unique<Task>();
    entry->record = std::move(record);
    const v1::Task& task = entry->record.task();
    entry->instance = FindInstance(task.container_instance_arn());
    // family:revision
    const std::string name = ShortId(task.task_definition_arn());
    const size_t colon = name.rfind(':');
    entry->revision = FindRevision(name.substr(0, colon), std::atoi(name.c_str() + colon + 1));
    if (entry->revision != nullptr) {
      entry->needs = ReservationOf(entry->revision->record.task_definition(), task.overrides());
    }
    for (const v1::Container& container : task.containers()) {
      entry->needs.gpu_ids.insert(entry->needs.gpu_ids.end(), container.gpu_ids().begin(),
                                  container.gpu_ids().end());
    }
    tasks_[task.task_arn()] = entry.get();
  } else {
    Index(entry.get(), -1);
    entry->record = std::move(record);
  }
  v1::TaskStatus::Value_Parse(entry->record.task().last_status(), &entry->last_status);
  Index(entry.get(), +1);
  return entry.get();
}

void State::EraseTask(Task* task) {
  Index(task, -1);
  if (task->instance != nullptr) task->instance->tasks.erase(task->arn());
  changes_[KeyOf(task->record)] = std::nullopt;
  tasks_.erase(task->arn());
  clusters_.at(task->record.cluster()).tasks.erase(ShortId(task->arn()));
}

// Enters a task (+1) into all that depends on its status, or takes it out (-1).
void State::Index(Task* task, int sign) {
  Cluster& cluster = clusters_.at(task->record.cluster());
  const int running = IsRunning(task->last_status) ? sign : 0;
  const int pending = IsPending(task->last_status) ? sign : 0;
  counts_[task->last_status] += sign;
  cluster.running_count += running;
  cluster.pending_count += pending;
  if (Instance* instance = task->instance; instance != nullptr) {
    instance->running_count += running;
    instance->pending_count += pending;
    instance->tasks[task->arn()] = task;
    if (!task->is_stopped() && sign > 0) instance->host.Reserve(task->needs);
    if (!task->is_stopped() && sign < 0) instance->host.Release(task->needs);
  }
  const double stopped_at = task->record.has_stopped_noted_at() ? task->record.stopped_noted_at()
                                                                : task->record.task().stopped_at();
  const std::pair<double, std::string> stopped{stopped_at, task->arn()};
  const std::string token = absl::StrCat(task->record.cluster(), "/", task->record.client_token());
  if (sign > 0) {
    if (task->is_stopped()) stopped_.insert(stopped);
    if (!task->record.client_token().empty()) tokens_[token].insert(task->arn());
    return;
  }
  if (task->is_stopped()) stopped_.erase(stopped);
  if (task->record.client_token().empty()) return;
  tokens_[token].erase(task->arn());
  if (tokens_[token].empty()) tokens_.erase(token);
}

void State::SetSession(Instance* instance, const std::string& session_id) {
  if (!instance->session.id.empty()) sessions_.erase(instance->session.id);
  instance->session.id = session_id;
  if (!session_id.empty()) sessions_[session_id] = instance;
  instance->host.is_connected = !session_id.empty() && instance->session.is_runtime_available;
}

void State::SetRuntimeAvailable(Instance* instance, bool is_available) {
  instance->session.is_runtime_available = is_available;
  instance->host.is_connected = !instance->session.id.empty() && is_available;
}

std::vector<Mutation> State::TakeMutations() {
  std::vector<Mutation> mutations;
  mutations.reserve(changes_.size());
  for (auto& [key, value] : changes_) mutations.push_back({key, std::move(value)});
  changes_.clear();
  return mutations;
}

}  // namespace davit::cluster
