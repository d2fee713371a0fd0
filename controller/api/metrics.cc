#include "controller/api/metrics.h"

#include <prometheus/text_serializer.h>

#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"

namespace davit::controller::api {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily MakeFamily(const std::string& name, const std::string& help, MetricType type) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

void AddValue(MetricFamily* family, double value,
              std::vector<prometheus::ClientMetric::Label> labels = {}) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  if (family->type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family->metric.push_back(std::move(metric));
}

MetricFamily Single(const std::string& name, const std::string& help, MetricType type,
                    double value) {
  MetricFamily family = MakeFamily(name, help, type);
  AddValue(&family, value);
  return family;
}

MetricFamily TasksFamily(const state::State& state) {
  MetricFamily family =
      MakeFamily("davit_controller_tasks", "Tasks by last status", MetricType::Gauge);
  const google::protobuf::EnumDescriptor* statuses = v1::TaskStatus::Value_descriptor();
  for (int i = 0; i < statuses->value_count(); ++i) {
    const auto status = static_cast<v1::TaskStatus::Value>(statuses->value(i)->number());
    if (status == v1::TaskStatus::UNSPECIFIED) continue;
    AddValue(&family, static_cast<double>(state.CountTasks(status)),
             {{"status", statuses->value(i)->name()}});
  }
  return family;
}

MetricFamily InstancesFamily(const state::State& state) {
  MetricFamily family =
      MakeFamily("davit_controller_container_instances",
                 "Container instances by whether their agent is connected", MetricType::Gauge);
  size_t all = 0;
  for (const auto& [name, cluster] : state.clusters()) all += cluster.instances.size();
  AddValue(&family, static_cast<double>(state.sessions().size()), {{"agent_connected", "true"}});
  AddValue(&family, static_cast<double>(all - state.sessions().size()),
           {{"agent_connected", "false"}});
  return family;
}

MetricFamily CommitsFamily(const loop::LoopCounts& counts) {
  MetricFamily family = MakeFamily("davit_controller_store_commit_seconds",
                                   "Time spent in commits of the store", MetricType::Summary);
  prometheus::ClientMetric summary;
  summary.summary.sample_count = counts.commits + counts.failed_commits;
  summary.summary.sample_sum = static_cast<double>(counts.commit_microseconds) / 1e6;
  family.metric.push_back(summary);
  return family;
}

std::vector<MetricFamily> CollectFromState(const state::State& state) {
  return {TasksFamily(state), InstancesFamily(state),
          Single("davit_controller_clusters", "Clusters, deleted ones included", MetricType::Gauge,
                 static_cast<double>(state.clusters().size())),
          Single("davit_controller_epoch", "Rises with each start of the controller",
                 MetricType::Gauge, static_cast<double>(state.epoch()))};
}

std::vector<MetricFamily> CollectFromLoop(const loop::Loop& loop) {
  const loop::LoopCounts& counts = loop.counts();
  return {Single("davit_controller_queue_depth", "Commands that wait for the loop",
                 MetricType::Gauge, static_cast<double>(loop.Depth())),
          Single("davit_controller_commands_total", "Commands that the loop has carried out",
                 MetricType::Counter, static_cast<double>(counts.commands)),
          Single("davit_controller_refused_commands_total",
                 "Commands that were refused because too many were waiting", MetricType::Counter,
                 static_cast<double>(counts.refused)),
          Single("davit_controller_failed_commits_total", "Commits that the store refused",
                 MetricType::Counter, static_cast<double>(counts.failed_commits)),
          CommitsFamily(counts)};
}

std::vector<MetricFamily> CollectFromHttp(const HttpServerCounters& http) {
  const auto gauge = [](const std::string& name, const std::string& help, int64_t value) {
    return Single(name, help, MetricType::Gauge, static_cast<double>(value));
  };
  const auto counter = [](const std::string& name, const std::string& help, int64_t value) {
    return Single(name, help, MetricType::Counter, static_cast<double>(value));
  };
  return {gauge("davit_controller_http_connections", "Open connections to the API",
                http.open_connections),
          gauge("davit_controller_http_waiting_requests", "Requests that wait for a thread",
                http.waiting_requests),
          gauge("davit_controller_http_unanswered_requests",
                "Requests that were read and are not answered yet", http.unanswered_requests),
          counter("davit_controller_http_refused_requests_total",
                  "Requests answered 503: too many were unanswered, or the answer was late",
                  http.refused_requests),
          counter("davit_controller_http_bad_requests_total",
                  "Requests that were malformed, too large or too slow", http.bad_requests)};
}

}  // namespace

Metrics::Metrics(const loop::Loop* loop, const HttpServerCounters* http)
    : loop_(loop),
      http_(http),
      requests_(prometheus::BuildCounter()
                    .Name("davit_controller_api_requests_total")
                    .Help("API requests by operation and outcome")
                    .Register(registry_)),
      latency_(prometheus::BuildHistogram()
                   .Name("davit_controller_api_request_seconds")
                   .Help("Time from the request's arrival to its answer")
                   .Register(registry_)) {}

void Metrics::CountRequest(const std::string& operation, const std::string& code,
                           absl::Duration duration) {
  requests_.Add({{"operation", operation}, {"code", code}}).Increment();
  const prometheus::Histogram::BucketBoundaries buckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                           0.1,   0.25,   0.5,   1,    2.5,   10};
  latency_.Add({{"operation", operation}}, buckets).Observe(absl::ToDoubleSeconds(duration));
}

std::string Metrics::Serialize() {
  std::vector<MetricFamily> all;
  loop_->view().Look([&all](const state::State& state) { all = CollectFromState(state); });
  for (auto& families : {CollectFromLoop(*loop_), CollectFromHttp(*http_), registry_.Collect()})
    all.insert(all.end(), families.begin(), families.end());
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace davit::controller::api
