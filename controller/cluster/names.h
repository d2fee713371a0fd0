#ifndef DAVIT_CONTROLLER_CLUSTER_NAMES_H_
#define DAVIT_CONTROLLER_CLUSTER_NAMES_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "controller/cluster/state.h"

namespace davit::cluster {

std::string MakeArn(const Place& place, absl::string_view resource);

// 1..255 of [A-Za-z0-9_-].
bool IsName(absl::string_view text);

// The name in a `cluster` member: a name, an ARN, or nothing for "default".
std::string ClusterName(absl::string_view name_or_arn);
// The ACTIVE cluster that a `cluster` member means. ClusterNotFoundException.
absl::StatusOr<const Cluster*> GetCluster(const State& state, absl::string_view name_or_arn);

// Of a task or container instance member: id or ARN. An ARN of another cluster finds nothing. Null:
// unknown.
Task* FindTask(const Cluster& cluster, absl::string_view id_or_arn);
Instance* FindInstance(const Cluster& cluster, absl::string_view id_or_arn);

struct TaskDefinitionName {
  std::string family;
  std::optional<int> revision;
};
// family, family:revision or ARN. ClientException: the revision is not a number.
absl::StatusOr<TaskDefinitionName> ParseTaskDefinitionName(absl::string_view text);
// The revision that is meant; the latest ACTIVE one where the name has none. Null: unknown.
const Revision* FindRevision(const State& state, const TaskDefinitionName& name);

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_NAMES_H_
