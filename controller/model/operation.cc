#include "controller/model/operation.h"

#include <map>
#include <set>
#include <utility>

#include "base/status.h"
#include "controller/cluster/operations.h"
#include "controller/cluster/reads.h"
#include "controller/definition/operations.h"
#include "controller/definition/reads.h"
#include "controller/instance/reads.h"
#include "controller/task/operations.h"
#include "controller/task/reads.h"

namespace davit::controller::model {
namespace {

using google::protobuf::Message;

template <typename Request>
std::unique_ptr<Message> NewRequest() {
  return std::make_unique<Request>();
}

// A row of the table, from `StatusOr<Response> Apply(const Request&, Change*)`.
template <typename Request, typename Response>
using ApplyFunction = absl::StatusOr<Response> (*)(const Request&, change::Change*);
template <typename Request, typename Response, ApplyFunction<Request, Response> kFunction>
Operation Writes(absl::string_view name) {
  return {name, NewRequest<Request>,
          [](const Message& request, change::Change* change) -> absl::StatusOr<Answer> {
            ASSIGN_OR_RETURN(Response response,
                             kFunction(static_cast<const Request&>(request), change));
            return std::make_shared<const Response>(std::move(response));
          },
          nullptr};
}

// Likewise, from `StatusOr<Response> Read(const Request&, const View&)`.
template <typename Request, typename Response>
using ReadFunction = absl::StatusOr<Response> (*)(const Request&, const state::View&);
template <typename Request, typename Response, ReadFunction<Request, Response> kFunction>
Operation Reads(absl::string_view name) {
  return {name, NewRequest<Request>, nullptr,
          [](const Message& request, const state::View& view) -> absl::StatusOr<Answer> {
            ASSIGN_OR_RETURN(Response response,
                             kFunction(static_cast<const Request&>(request), view));
            return std::make_shared<const Response>(std::move(response));
          }};
}

#define WRITES(name, noun) Writes<v1::name##Request, v1::name##Response, noun::Apply>(#name)
#define READS(name, noun) Reads<v1::name##Request, v1::name##Response, noun::Read>(#name)

const std::map<absl::string_view, Operation>& Table() {
  static const auto* const kTable = [] {
    auto* table = new std::map<absl::string_view, Operation>();
    for (const Operation& operation : {
             WRITES(CreateCluster, cluster),
             WRITES(DeleteCluster, cluster),
             WRITES(DeregisterTaskDefinition, definition),
             READS(DescribeClusters, cluster),
             READS(DescribeContainerInstances, instance),
             READS(DescribeTaskDefinition, definition),
             READS(DescribeTasks, task),
             READS(ListClusters, cluster),
             READS(ListContainerInstances, instance),
             READS(ListTaskDefinitionFamilies, definition),
             READS(ListTaskDefinitions, definition),
             READS(ListTasks, task),
             WRITES(RegisterTaskDefinition, definition),
             WRITES(RunTask, task),
             WRITES(StopTask, task),
         }) {
      table->emplace(operation.name, operation);
    }
    return table;
  }();
  return *kTable;
}

#undef WRITES
#undef READS

// ECS's other operations. A request for one of them is answered "not supported", not "unknown".
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

const Operation* FindOperation(absl::string_view name) {
  const auto found = Table().find(name);
  return found == Table().end() ? nullptr : &found->second;
}

bool IsEcsOperation(absl::string_view name) {
  return FindOperation(name) != nullptr || OtherEcsOperations().count(name) > 0;
}

}  // namespace davit::controller::model
