#include "controller/api/operations.h"

#include <future>
#include <map>
#include <memory>
#include <set>
#include <type_traits>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "base/json_decoder.h"
#include "base/status.h"
#include "controller/cluster/describe.h"
#include "controller/cluster/ecs_error.h"
#include "controller/cluster/list.h"

namespace davit::api {
namespace {

// Longer than any commit; an answer that is later than this is a broken disk.
constexpr std::chrono::seconds kAnswerTimeout{30};

template <typename Request>
absl::StatusOr<Request> Decode(absl::string_view body) {
  Request request;
  const std::vector<std::string> problems = DecodeJson(body, &request);
  if (problems.empty()) return request;
  const std::string text = absl::StrJoin(problems, "\n");
  if (problems.size() == 1 && absl::StartsWith(text, "not JSON"))
    return cluster::EcsError("SerializationException", text);
  // As ECS does: what is wrong with a task definition is always a ClientException.
  constexpr bool kIsTaskDefinition = std::is_same_v<Request, v1::RegisterTaskDefinitionRequest>;
  return kIsTaskDefinition ? cluster::ClientException(text) : cluster::InvalidParameter(text);
}

absl::StatusOr<loop::Answer> Wait(std::future<absl::StatusOr<loop::Answer>> answer) {
  if (answer.wait_for(kAnswerTimeout) != std::future_status::ready) {
    return absl::DeadlineExceededError("the controller is too busy");
  }
  return answer.get();
}

loop::Done Fulfil(std::promise<absl::StatusOr<loop::Answer>> promise) {
  return [promise = std::move(promise)](absl::StatusOr<loop::Answer> answer) mutable {
    promise.set_value(std::move(answer));
  };
}

// An operation that changes the cluster: the model's Command of the same message.
template <typename Request>
absl::StatusOr<loop::Answer> Change(loop::Loop* loop, absl::string_view body) {
  ASSIGN_OR_RETURN(Request request, Decode<Request>(body));
  std::promise<absl::StatusOr<loop::Answer>> promise;
  auto answer = promise.get_future();
  loop->Submit(std::move(request), Fulfil(std::move(promise)));
  return Wait(std::move(answer));
}

// One that only looks: the overload of cluster::Read() for the message.
template <typename Request>
absl::StatusOr<loop::Answer> Look(loop::Loop* loop, absl::string_view body) {
  ASSIGN_OR_RETURN(Request request, Decode<Request>(body));
  std::promise<absl::StatusOr<loop::Answer>> promise;
  auto answer = promise.get_future();
  const auto query =
      [request = std::move(request)](const cluster::Model& model) -> absl::StatusOr<loop::Answer> {
    ASSIGN_OR_RETURN(auto response, cluster::Read(model.state(), request));
    return std::make_shared<const decltype(response)>(std::move(response));
  };
  loop->Ask(query, Fulfil(std::move(promise)));
  return Wait(std::move(answer));
}

const std::map<absl::string_view, Handler>& Table() {
  static const auto* const kTable = new std::map<absl::string_view, Handler>{
      {"CreateCluster", Change<v1::CreateClusterRequest>},
      {"DeleteCluster", Change<v1::DeleteClusterRequest>},
      {"DeregisterTaskDefinition", Change<v1::DeregisterTaskDefinitionRequest>},
      {"DescribeClusters", Look<v1::DescribeClustersRequest>},
      {"DescribeContainerInstances", Look<v1::DescribeContainerInstancesRequest>},
      {"DescribeTaskDefinition", Look<v1::DescribeTaskDefinitionRequest>},
      {"DescribeTasks", Look<v1::DescribeTasksRequest>},
      {"ListClusters", Look<v1::ListClustersRequest>},
      {"ListContainerInstances", Look<v1::ListContainerInstancesRequest>},
      {"ListTaskDefinitionFamilies", Look<v1::ListTaskDefinitionFamiliesRequest>},
      {"ListTaskDefinitions", Look<v1::ListTaskDefinitionsRequest>},
      {"ListTasks", Look<v1::ListTasksRequest>},
      {"RegisterTaskDefinition", Change<v1::RegisterTaskDefinitionRequest>},
      {"RunTask", Change<v1::RunTaskRequest>},
      {"StopTask", Change<v1::StopTaskRequest>},
  };
  return *kTable;
}

// ECS's other operations, so that a user is told that they are not built, and not that they do not
// exist.
const std::set<absl::string_view>& OtherEcsOperations() {
  static const auto* const kNames = new std::set<absl::string_view>{
      "CreateCapacityProvider",
      "CreateService",
      "CreateTaskSet",
      "DeleteAccountSetting",
      "DeleteAttributes",
      "DeleteCapacityProvider",
      "DeleteService",
      "DeleteTaskDefinitions",
      "DeleteTaskSet",
      "DeregisterContainerInstance",
      "DescribeCapacityProviders",
      "DescribeServiceDeployments",
      "DescribeServiceRevisions",
      "DescribeServices",
      "DescribeTaskSets",
      "DiscoverPollEndpoint",
      "ExecuteCommand",
      "GetTaskProtection",
      "ListAccountSettings",
      "ListAttributes",
      "ListServiceDeployments",
      "ListServices",
      "ListServicesByNamespace",
      "ListTagsForResource",
      "PutAccountSetting",
      "PutAccountSettingDefault",
      "PutAttributes",
      "PutClusterCapacityProviders",
      "RegisterContainerInstance",
      "StartTask",
      "StopServiceDeployment",
      "SubmitAttachmentStateChanges",
      "SubmitContainerStateChange",
      "SubmitTaskStateChange",
      "TagResource",
      "UntagResource",
      "UpdateCapacityProvider",
      "UpdateCluster",
      "UpdateClusterSettings",
      "UpdateContainerAgent",
      "UpdateContainerInstancesState",
      "UpdateService",
      "UpdateServicePrimaryTaskSet",
      "UpdateTaskProtection",
      "UpdateTaskSet",
  };
  return *kNames;
}

}  // namespace

Handler FindOperation(absl::string_view name) {
  const auto found = Table().find(name);
  return found == Table().end() ? nullptr : found->second;
}

bool IsEcsOperation(absl::string_view name) {
  return Table().count(name) > 0 || OtherEcsOperations().count(name) > 0;
}

}  // namespace davit::api
