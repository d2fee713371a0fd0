#ifndef DAVIT_CONTROLLER_STATE_ARN_H_
#define DAVIT_CONTROLLER_STATE_ARN_H_

#include <string>

#include "absl/strings/string_view.h"
#include "davit/v1/cluster_record.pb.h"

namespace davit::controller::state {

// Where this controller is in ECS's world: both stand in every ARN.
struct Place {
  std::string region = "us-east-1";
  std::string account = "000000000000";  // 12 digits
};

// arn:aws:ecs:REGION:ACCOUNT:RESOURCE
std::string MakeArn(const Place& place, absl::string_view resource);

std::string ClusterArn(const Place& place, absl::string_view cluster);
std::string InstanceArn(const Place& place, absl::string_view cluster, absl::string_view id);
std::string TaskArn(const Place& place, absl::string_view cluster, absl::string_view id);
std::string ContainerArn(const Place& place, absl::string_view cluster, absl::string_view task_id,
                         absl::string_view id);
std::string TaskDefinitionArn(const Place& place, absl::string_view family, int revision);

std::string ArnOf(const Place& place, const v1::StoredContainerInstance& record);
std::string ArnOf(const Place& place, const v1::StoredTask& record);
std::string ArnOf(const Place& place, const v1::StoredTaskDefinition& record);

}  // namespace davit::controller::state

#endif  // DAVIT_CONTROLLER_STATE_ARN_H_
