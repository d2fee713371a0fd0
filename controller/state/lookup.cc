#include "controller/state/lookup.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/ids.h"
#include "base/status.h"
#include "controller/ecs/ecs_error.h"

namespace davit::controller::state {
namespace {

// Whether `text` may mean an object of `cluster`: an ARN names its cluster,
// arn:...:task/CLUSTER/ID. ARNs of the old form without a cluster, task/ID, are taken as well.
bool MayBeOf(const Cluster& cluster, absl::string_view text) {
  if (!LooksLikeArn(text)) return true;
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  return parts.size() != 3 || parts[1] == cluster.record->name();
}

template <typename Table>
auto FindIn(const Table& table, const Cluster& cluster, absl::string_view text) {
  const auto found = MayBeOf(cluster, text) ? table.find(ShortId(text)) : table.end();
  return found == table.end() ? nullptr : found->second.get();
}

}  // namespace

std::string ClusterName(absl::string_view name_or_arn) {
  return name_or_arn.empty() ? "default" : ShortId(name_or_arn);
}

absl::StatusOr<const Cluster*> GetCluster(const State& state, absl::string_view name_or_arn) {
  const Cluster* cluster = state.FindCluster(ClusterName(name_or_arn));
  if (cluster == nullptr || cluster->record->status() != v1::ObjectStatus::ACTIVE)
    return ecs::ClusterNotFound();
  return cluster;
}

std::string NamedArn(const Place& place, absl::string_view type, absl::string_view id_or_arn) {
  if (LooksLikeArn(id_or_arn)) return std::string(id_or_arn);
  return MakeArn(place, absl::StrCat(type, "/", id_or_arn));
}

const Task* FindTask(const Cluster& cluster, absl::string_view id_or_arn) {
  return FindIn(cluster.tasks, cluster, id_or_arn);
}

const Instance* FindInstance(const Cluster& cluster, absl::string_view id_or_arn) {
  return FindIn(cluster.instances, cluster, id_or_arn);
}

absl::StatusOr<TaskDefinitionName> ParseTaskDefinitionName(absl::string_view text) {
  const std::string name = ShortId(text);
  const size_t colon = name.find(':');
  if (colon == std::string::npos) return TaskDefinitionName{name, std::nullopt};
  const std::string number = name.substr(colon + 1);
  int revision = 0;
  if (!absl::SimpleAtoi(number, &revision) || revision < 1) {
    return ecs::ClientException(absl::StrCat("Invalid revision number. Number: ", number));
  }
  return TaskDefinitionName{name.substr(0, colon), revision};
}

const Revision* FindRevision(const State& state, const TaskDefinitionName& name) {
  if (name.revision) return state.FindRevision(name.family, *name.revision);
  const auto family = state.families().find(name.family);
  if (family == state.families().end()) return nullptr;
  const auto& revisions = family->second.revisions;
  for (auto entry = revisions.rbegin(); entry != revisions.rend(); ++entry) {
    if (entry->second.record->status() == v1::ObjectStatus::ACTIVE) return &entry->second;
  }
  return nullptr;
}

absl::StatusOr<const Revision*> GetRunnable(const State& state, absl::string_view task_definition) {
  if (task_definition.empty()) return ecs::InvalidParameter("taskDefinition: must be given.");
  ASSIGN_OR_RETURN(const TaskDefinitionName name, ParseTaskDefinitionName(task_definition));
  const Revision* revision = FindRevision(state, name);
  if (revision == nullptr) return ecs::ClientException("TaskDefinition not found.");
  if (revision->record->status() != v1::ObjectStatus::ACTIVE)
    return ecs::ClientException("TaskDefinition is inactive");
  return revision;
}

}  // namespace davit::controller::state
