#include "agent/endpoint/metrics.h"

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "agent/log/log_health.h"
#include "base/ids.h"
#include "base/status.h"

namespace davit::endpoint {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Family(const std::string& name, const std::string& help,
                    MetricType type = MetricType::Gauge) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

void Add(const std::vector<ClientMetric::Label>& labels, double value, MetricFamily* family) {
  ClientMetric& metric = family->metric.emplace_back();
  metric.label = labels;
  (family->type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

// Exports every status, even with value 0: alerts need series that do not come and go.
MetricFamily TaskCounts(const std::vector<supervisor::TaskView>& views) {
  MetricFamily family = Family("davit_agent_tasks", "Tasks known to the agent, by status.");
  std::map<int, int> counts;
  for (const supervisor::TaskView& view : views) ++counts[view.state.last_status()];
  for (const v1::TaskStatus::Value status :
       {v1::TaskStatus::PENDING, v1::TaskStatus::ACTIVATING, v1::TaskStatus::RUNNING,
        v1::TaskStatus::STOPPING, v1::TaskStatus::DEPROVISIONING, v1::TaskStatus::STOPPED}) {
    Add({{"status", v1::TaskStatus::Value_Name(status)}}, counts[status], &family);
  }
  return family;
}

MetricFamily ContainerCounts(const std::vector<supervisor::TaskView>& views) {
  MetricFamily family =
      Family("davit_agent_containers", "Containers of the tasks known to the agent, by status.");
  std::map<int, int> counts;
  for (const supervisor::TaskView& view : views) {
    for (const v1::ContainerState& container : view.state.containers())
      ++counts[container.last_status()];
  }
  for (const v1::ContainerStatus::Value status :
       {v1::ContainerStatus::PENDING, v1::ContainerStatus::RUNNING, v1::ContainerStatus::STOPPED}) {
    Add({{"status", v1::ContainerStatus::Value_Name(status)}}, counts[status], &family);
  }
  return family;
}

MetricFamily Readiness(const std::vector<supervisor::TaskView>& views) {
  MetricFamily family = Family("davit_agent_container_readiness",
                               "Running containers with a readiness check, by its result.");
  std::map<bool, int> counts;
  for (const supervisor::TaskView& view : views) {
    for (int i = 0; i < view.state.containers_size(); ++i) {
      const auto& probes = view.containers[static_cast<size_t>(i)].probes;
      const auto readiness = probes.find(task::ProbeKind::kReadiness);
      if (view.state.containers(i).last_status() != v1::ContainerStatus::RUNNING ||
          readiness == probes.end())
        continue;
      ++counts[readiness->second.health == task::Health::kHealthy];
    }
  }
  Add({{"ready", "true"}}, counts[true], &family);
  Add({{"ready", "false"}}, counts[false], &family);
  return family;
}

// Read from the cgroup files of the running containers.
std::vector<MetricFamily> ContainerUsage(const MetricSources& sources,
                                         const std::vector<supervisor::TaskView>& views) {
  MetricFamily memory = Family("davit_agent_container_memory_bytes",
                               "Memory in use without inactive file cache, in bytes.");
  MetricFamily cpu =
      Family("davit_agent_container_cpu_seconds_total",
             "CPU time used since the start of the container, in seconds.", MetricType::Counter);
  MetricFamily oom =
      Family("davit_agent_container_oom_kills_total",
             "Processes of the container killed by the OOM killer.", MetricType::Counter);
  for (const supervisor::TaskView& view : views) {
    const std::string id = ShortId(view.state.task_arn());
    for (const v1::ContainerState& container : view.state.containers()) {
      if (container.last_status() != v1::ContainerStatus::RUNNING) continue;
      const auto usage =
          sources.cgroups->Read(sources.cgroups->ContainerPath(id, container.name()));
      if (!usage.ok()) continue;  // the container has just ended
      const std::vector<ClientMetric::Label> labels = {
          {"task_id", id}, {"container_name", container.name()}, {"family", view.family}};
      Add(labels, static_cast<double>(usage->memory_bytes), &memory);
      Add(labels, absl::ToDoubleSeconds(usage->cpu_time), &cpu);
      Add(labels, static_cast<double>(usage->oom_kills), &oom);
    }
  }
  return {memory, cpu, oom};
}

// What the running containers' davit-loggers say of themselves.
std::vector<MetricFamily> LogHealth(const MetricSources& sources,
                                    const std::vector<supervisor::TaskView>& views) {
  MetricFamily lost = Family("davit_agent_container_log_lost_lines_total",
                             "Lines of output that could not be written.", MetricType::Counter);
  MetricFamily killed =
      Family("davit_agent_container_log_writer_kills_total",
             "How often davit-logger was killed and started again.", MetricType::Counter);
  MetricFamily logged =
      Family("davit_agent_container_logged", "1 while davit-logger takes the container's output.");
  if (sources.files == nullptr) return {};
  for (const supervisor::TaskView& view : views) {
    const std::string id = ShortId(view.state.task_arn());
    for (const v1::ContainerState& container : view.state.containers()) {
      if (container.last_status() != v1::ContainerStatus::RUNNING) continue;
      const auto health = log::ReadLogHealth(sources.files->LogFile(id, container.name()));
      const std::vector<ClientMetric::Label> labels = {
          {"task_id", id}, {"container_name", container.name()}, {"family", view.family}};
      Add(labels, health.ok() && health->has_logger ? 1 : 0, &logged);
      if (!health.ok()) continue;  // started by an agent that did not ask for it
      Add(labels, static_cast<double>(health->state.lost_records), &lost);
      Add(labels, health->state.killed_writers, &killed);
    }
  }
  return {lost, killed, logged};
}

std::vector<MetricFamily> AgentState(const MetricSources& sources) {
  const supervisor::SessionState session = sources.session();
  MetricFamily info = Family("davit_agent_info",
                             "Version and container instance of the agent in labels; always 1.");
  Add({{"version", sources.version}, {"container_instance_arn", session.container_instance_arn}}, 1,
      &info);
  MetricFamily connected =
      Family("davit_agent_controller_connected",
             "Whether the agent has a session with a controller (1) or not (0).");
  Add({}, session.connected ? 1 : 0, &connected);
  MetricFamily sessions = Family("davit_agent_controller_sessions_total",
                                 "Sessions accepted by a controller.", MetricType::Counter);
  Add({}, static_cast<double>(session.connections), &sessions);
  MetricFamily runtime =
      Family("davit_agent_runtime_available", "Whether containerd is reachable (1) or not (0).");
  Add({}, sources.supervisor->runtime_available() ? 1 : 0, &runtime);
  MetricFamily store = Family("davit_agent_store_healthy",
                              "Whether the agent can store its records (1) or not (0).");
  Add({}, sources.store->Health().ok() ? 1 : 0, &store);
  MetricFamily depth =
      Family("davit_agent_pool_queue_depth", "Work items waiting for a thread, by pool.");
  for (const PoolGauge& pool : sources.pools)
    Add({{"pool", pool.name}}, static_cast<double>(pool.depth()), &depth);
  MetricFamily stuck = Family("davit_agent_stuck_calls",
                              "Calls to the kernel, the disk, containerd or a program that hang.");
  Add({}, static_cast<double>(sources.supervisor->stuck_calls().size()), &stuck);
  return {info, connected, sessions, runtime, store, depth, stuck};
}

// From the agent's last inventory of the host.
std::vector<MetricFamily> Owned(const supervisor::Supervisor& supervisor) {
  const supervisor::Supervisor::Owned owned = supervisor.owned();
  MetricFamily family =
      Family("davit_agent_owned", "Objects of Davit on the host at the last inventory, by kind.");
  Add({{"kind", "container"}}, static_cast<double>(owned.inventory.containers), &family);
  Add({{"kind", "lease"}}, static_cast<double>(owned.inventory.leases), &family);
  Add({{"kind", "cgroup"}}, static_cast<double>(owned.inventory.cgroups), &family);
  Add({{"kind", "network"}}, static_cast<double>(owned.inventory.networks), &family);
  MetricFamily orphans =
      Family("davit_agent_orphans", "Tasks on the host without a record, at the last inventory.");
  Add({}, static_cast<double>(owned.orphans), &orphans);
  return {family, orphans};
}

std::vector<MetricFamily> Http(const HttpServerCounters& counters) {
  const auto single = [](const std::string& name, const std::string& help, MetricType type,
                         const std::atomic<int64_t>& value) {
    MetricFamily family = Family(name, help, type);
    Add({}, static_cast<double>(value.load()), &family);
    return family;
  };
  return {
      single("davit_agent_http_open_connections", "Connections to this endpoint.",
             MetricType::Gauge, counters.open_connections),
      single("davit_agent_http_waiting_requests", "Requests that wait for a thread.",
             MetricType::Gauge, counters.waiting_requests),
      single("davit_agent_http_unanswered_requests", "Requests that are not answered yet.",
             MetricType::Gauge, counters.unanswered_requests),
      single("davit_agent_http_requests_total", "Requests that were received.", MetricType::Counter,
             counters.requests),
      single("davit_agent_http_refused_requests_total",
             "Requests answered 503: too many waited, or the answer took too long.",
             MetricType::Counter, counters.refused_requests),
      single("davit_agent_http_bad_requests_total",
             "Requests that were malformed, too large or too slow.", MetricType::Counter,
             counters.bad_requests),
      single("davit_agent_http_connections_closed_for_room_total",
             "Connections closed because others needed their place.", MetricType::Counter,
             counters.closed_for_room),
      single("davit_agent_http_refused_connections_total",
             "Connections refused because all others were being answered.", MetricType::Counter,
             counters.refused_connections),
      single("davit_agent_http_failed_accepts_total",
             "Connections that could not be accepted, for want of file descriptors for instance.",
             MetricType::Counter, counters.failed_accepts),
  };
}

}  // namespace

absl::StatusOr<std::string> RenderMetrics(const MetricSources& sources) {
  ASSIGN_OR_RETURN(const std::vector<supervisor::TaskView> views, sources.supervisor->View());
  std::vector<MetricFamily> families = AgentState(sources);
  families.push_back(TaskCounts(views));
  families.push_back(ContainerCounts(views));
  families.push_back(Readiness(views));
  for (MetricFamily& family : ContainerUsage(sources, views)) families.push_back(std::move(family));
  for (MetricFamily& family : LogHealth(sources, views)) families.push_back(std::move(family));
  for (MetricFamily& family : Owned(*sources.supervisor)) families.push_back(std::move(family));
  for (MetricFamily& family : Http(*sources.http)) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace davit::endpoint
