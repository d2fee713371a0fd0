#ifndef DAVIT_CONTROLLER_STATE_LOOKUP_H_
#define DAVIT_CONTROLLER_STATE_LOOKUP_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "controller/state/state.h"

namespace davit::controller::state {

// What the members of requests name.

// The name in a `cluster` member: a name, an ARN, or nothing for "default".
std::string ClusterName(absl::string_view name_or_arn);
// The ACTIVE cluster that a `cluster` member means. ClusterNotFoundException.
absl::StatusOr<const Cluster*> GetCluster(const State& state, absl::string_view name_or_arn);

// The ARN of an object that a request names by `id_or_arn`, known or not. `type` is "cluster",
// "task/CLUSTER" or the like.
std::string NamedArn(const Place& place, absl::string_view type, absl::string_view id_or_arn);

// Of a task or container instance member: id or ARN. An ARN of another cluster finds nothing. Null:
// unknown.
const Task* FindTask(const Cluster& cluster, absl::string_view id_or_arn);
const Instance* FindInstance(const Cluster& cluster, absl::string_view id_or_arn);

struct TaskDefinitionName {
  std::string family;
  std::optional<int> revision;
};
// family, family:revision or ARN. ClientException: the revision is not a number.
absl::StatusOr<TaskDefinitionName> ParseTaskDefinitionName(absl::string_view text);
// The revision that is meant; the latest ACTIVE one where the name has none. Null: unknown.
const Revision* FindRevision(const State& state, const TaskDefinitionName& name);
// The revision that a new task may be made from. InvalidParameterException: none is named.
// ClientException: unknown, or not ACTIVE.
absl::StatusOr<const Revision*> GetRunnable(const State& state, absl::string_view task_definition);

}  // namespace davit::controller::state

#endif  // DAVIT_CONTROLLER_STATE_LOOKUP_H_
