#include "controller/cluster/describe.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "base/status.h"
#include "controller/cluster/ecs_error.h"
#include "controller/cluster/names.h"

namespace davit::cluster {
namespace {

template <typename List>
bool Contains(const List& list, absl::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <typename Response>
void AddMissing(absl::string_view arn, Response* response) {
  v1::Failure* failure = response->add_failures();
  failure->set_arn(std::string(arn));
  failure->set_reason("MISSING");
}

// Failures name objects by ARN, even where the request gave a short id. `type` is "task/CLUSTER" or
// the like.
std::string ArnLike(const State& state, absl::string_view type, absl::string_view id_or_arn) {
  if (LooksLikeArn(id_or_arn)) return std::string(id_or_arn);
  return MakeArn(state.place(), absl::StrCat(type, "/", id_or_arn));
}

void AddStatistic(absl::string_view name, int value, v1::Cluster* cluster) {
  v1::KeyValuePair* statistic = cluster->add_statistics();
  statistic->set_name(std::string(name));
  statistic->set_value(absl::StrCat(value));
}

v1::Resource IntegerResource(absl::string_view name, int64_t value) {
  v1::Resource resource;
  resource.set_name(std::string(name));
  resource.set_type("INTEGER");
  resource.set_double_value(0);
  resource.set_long_value(0);
  resource.set_integer_value(static_cast<int32_t>(value));
  return resource;
}

v1::Resource StringSetResource(absl::string_view name) {
  v1::Resource resource;
  resource.set_name(std::string(name));
  resource.set_type("STRINGSET");
  resource.set_double_value(0);
  resource.set_long_value(0);
  resource.set_integer_value(0);
  return resource;
}

v1::Resource PortsResource(absl::string_view name, const std::vector<int>& ports) {
  v1::Resource resource = StringSetResource(name);
  int last = 0;
  for (const int port : ports) {
    if (port != last) resource.add_string_set_value(absl::StrCat(port));
    last = port;
  }
  return resource;
}

void AddHealth(const Instance& instance, v1::ContainerInstance* out) {
  const bool is_known = !instance.session.id.empty();
  const std::string status = !is_known                               ? "INSUFFICIENT_DATA"
                             : instance.session.is_runtime_available ? "OK"
                                                                     : "IMPAIRED";
  out->mutable_health_status()->set_overall_status(status);
  v1::InstanceHealthCheckResult* check = out->mutable_health_status()->add_details();
  check->set_type("CONTAINER_RUNTIME");
  check->set_status(status);
}

absl::Status CheckBatch(int size, absl::string_view member) {
  if (size < 1) return InvalidParameter(absl::StrCat(member, ": must name at least one."));
  if (size > 100)
    return InvalidParameter(absl::StrCat(member, ": at most 100 at once, got ", size));
  return absl::OkStatus();
}

}  // namespace

v1::Cluster DescribeCluster(const Cluster& cluster) {
  v1::Cluster out = cluster.record.cluster();
  out.set_registered_container_instances_count(static_cast<int32_t>(cluster.instances.size()));
  out.set_running_tasks_count(cluster.running_count);
  out.set_pending_tasks_count(cluster.pending_count);
  out.set_active_services_count(0);
  return out;
}

v1::Task DescribeTask(const Task& task) {
  v1::Task out = task.record.task();
  if (task.instance != nullptr && !task.is_stopped()) {
    out.set_connectivity(task.instance->session.id.empty() ? "DISCONNECTED" : "CONNECTED");
  }
  // ECS has no member for what a task waits for: it is shown as its containers' reason until they
  // have one of their own.
  if (!task.record.waiting_reason().empty() && task.last_status < v1::TaskStatus::RUNNING) {
    for (v1::Container& container : *out.mutable_containers()) {
      if (!container.has_reason()) container.set_reason(task.record.waiting_reason());
    }
  }
  return out;
}

v1::ContainerInstance DescribeInstance(const Instance& instance) {
  v1::ContainerInstance out = instance.record.instance();
  out.set_agent_connected(!instance.session.id.empty());
  out.set_running_tasks_count(instance.running_count);
  out.set_pending_tasks_count(instance.pending_count);
  *out.add_remaining_resources() = IntegerResource("CPU", instance.host.free_cpu_units);
  *out.add_remaining_resources() = IntegerResource("MEMORY", instance.host.free_memory_mib);
  *out.add_remaining_resources() = PortsResource("PORTS", instance.host.tcp_ports);
  *out.add_remaining_resources() = PortsResource("PORTS_UDP", instance.host.udp_ports);
  if (instance.host.gpus.empty()) return out;
  v1::Resource* gpus = out.add_remaining_resources();
  *gpus = StringSetResource("GPU");
  for (const std::string& id : instance.host.FreeGpus()) gpus->add_string_set_value(id);
  return out;
}

absl::StatusOr<v1::DescribeClustersResponse> Read(const State& state,
                                                  const v1::DescribeClustersRequest& request) {
  if (request.clusters_size() > 100) return CheckBatch(request.clusters_size(), "clusters");
  v1::DescribeClustersResponse response;
  std::vector<std::string> names(request.clusters().begin(), request.clusters().end());
  if (names.empty()) names.emplace_back("default");
  for (const std::string& name : names) {
    const Cluster* cluster = state.FindCluster(ClusterName(name));
    if (cluster == nullptr) {
      AddMissing(ArnLike(state, "cluster", name), &response);
      continue;
    }
    v1::Cluster* out = response.add_clusters();
    *out = DescribeCluster(*cluster);
    if (!Contains(request.include(), "TAGS")) out->clear_tags();
    if (!Contains(request.include(), "SETTINGS")) out->clear_settings();
    if (!Contains(request.include(), "CONFIGURATIONS")) out->clear_configuration();
    if (Contains(request.include(), "STATISTICS")) {
      AddStatistic("runningEC2TasksCount", cluster->running_count, out);
      AddStatistic("pendingEC2TasksCount", cluster->pending_count, out);
      for (const char* none : {"runningFargateTasksCount", "pendingFargateTasksCount",
                               "activeEC2ServiceCount", "activeFargateServiceCount",
                               "drainingEC2ServiceCount", "drainingFargateServiceCount"}) {
        AddStatistic(none, 0, out);
      }
    }
  }
  return response;
}

absl::StatusOr<v1::DescribeTaskDefinitionResponse> Read(
    const State& state, const v1::DescribeTaskDefinitionRequest& request) {
  ASSIGN_OR_RETURN(const TaskDefinitionName name,
                   ParseTaskDefinitionName(request.task_definition()));
  const Revision* revision = FindRevision(state, name);
  if (revision == nullptr) return ClientException("Unable to describe task definition.");
  v1::DescribeTaskDefinitionResponse response;
  *response.mutable_task_definition() = revision->record.task_definition();
  if (Contains(request.include(), "TAGS")) *response.mutable_tags() = revision->record.tags();
  return response;
}

absl::StatusOr<v1::DescribeTasksResponse> Read(const State& state,
                                               const v1::DescribeTasksRequest& request) {
  ASSIGN_OR_RETURN(const Cluster* cluster, GetCluster(state, request.cluster()));
  RETURN_IF_ERROR(CheckBatch(request.tasks_size(), "tasks"));
  v1::DescribeTasksResponse response;
  for (const std::string& name : request.tasks()) {
    const Task* task = FindTask(*cluster, name);
    if (task == nullptr) {
      AddMissing(ArnLike(state, absl::StrCat("task/", ClusterName(request.cluster())), name),
                 &response);
      continue;
    }
    *response.add_tasks() = DescribeTask(*task);
    if (!Contains(request.include(), "TAGS")) response.mutable_tasks()->rbegin()->clear_tags();
  }
  return response;
}

absl::StatusOr<v1::DescribeContainerInstancesResponse> Read(
    const State& state, const v1::DescribeContainerInstancesRequest& request) {
  ASSIGN_OR_RETURN(const Cluster* cluster, GetCluster(state, request.cluster()));
  RETURN_IF_ERROR(CheckBatch(request.container_instances_size(), "containerInstances"));
  v1::DescribeContainerInstancesResponse response;
  for (const std::string& name : request.container_instances()) {
    const Instance* instance = FindInstance(*cluster, name);
    if (instance == nullptr) {
      AddMissing(
          ArnLike(state, absl::StrCat("container-instance/", ClusterName(request.cluster())), name),
          &response);
      continue;
    }
    v1::ContainerInstance* out = response.add_container_instances();
    *out = DescribeInstance(*instance);
    if (!Contains(request.include(), "TAGS")) out->clear_tags();
    if (Contains(request.include(), "CONTAINER_INSTANCE_HEALTH")) AddHealth(*instance, out);
  }
  return response;
}

}  // namespace davit::cluster
