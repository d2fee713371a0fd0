#include "controller/state/arn.h"

#include "absl/strings/str_cat.h"

namespace davit::controller::state {

std::string MakeArn(const Place& place, absl::string_view resource) {
  return absl::StrCat("arn:aws:ecs:", place.region, ":", place.account, ":", resource);
}

std::string ClusterArn(const Place& place, absl::string_view cluster) {
  return MakeArn(place, absl::StrCat("cluster/", cluster));
}

std::string InstanceArn(const Place& place, absl::string_view cluster, absl::string_view id) {
  return MakeArn(place, absl::StrCat("container-instance/", cluster, "/", id));
}

std::string TaskArn(const Place& place, absl::string_view cluster, absl::string_view id) {
  return MakeArn(place, absl::StrCat("task/", cluster, "/", id));
}

std::string ContainerArn(const Place& place, absl::string_view cluster, absl::string_view task_id,
                         absl::string_view id) {
  return MakeArn(place, absl::StrCat("container/", cluster, "/", task_id, "/", id));
}

std::string TaskDefinitionArn(const Place& place, absl::string_view family, int revision) {
  return MakeArn(place, absl::StrCat("task-definition/", family, ":", revision));
}

std::string ArnOf(const Place& place, const v1::StoredContainerInstance& record) {
  return InstanceArn(place, record.cluster(), record.id());
}

std::string ArnOf(const Place& place, const v1::StoredTask& record) {
  return TaskArn(place, record.cluster(), record.id());
}

std::string ArnOf(const Place& place, const v1::StoredTaskDefinition& record) {
  return TaskDefinitionArn(place, record.content().family(), record.content().revision());
}

}  // namespace davit::controller::state
