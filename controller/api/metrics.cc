#include "controller/api/metrics.h"

#include <prometheus/text_serializer.h>

#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "controller/cluster/model.h"

namespace davit::api {
namespace {

constexpr std::chrono::seconds kAnswerTimeout{10};

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

MetricFamily TasksFamily(const cluster::State& state) {
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

MetricFamily InstancesFamily(const cluster::State& state) {
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

std::vector<MetricFamily> CollectFromLoop(const loop::Loop& loop, const cluster::State& state) {
  const loop::LoopCounts& counts = loop.counts();
  MetricFamily commits = MakeFamily("davit_controller_store_commit_seconds",
                                    "Time spent in commits of the store", MetricType::Summary);
  prometheus::ClientMetric summary;
  summary.summary.sample_count = counts.commits + counts.failed_commits;
  summary.summary.sample_sum = absl::ToDoubleSeconds(counts.commit_time);
  commits.metric.push_back(summary);
  return {TasksFamily(state),
          InstancesFamily(state),
          Single("davit_controller_clusters", "Clusters, deleted ones included", MetricType::Gauge,
                 static_cast<double>(state.clusters().size())),
          Single("davit_controller_epoch", "Rises with each start of the controller",
                 MetricType::Gauge, static_cast<double>(state.epoch())),
          Single("davit_controller_queue_depth", "Commands and queries that wait for the loop",
                 MetricType::Gauge, static_cast<double>(loop.Depth())),
          Single("davit_controller_commands_total", "Commands and queries worked off by the loop",
                 MetricType::Counter, static_cast<double>(counts.commands)),
          Single("davit_controller_failed_commits_total", "Commits that the store refused",
                 MetricType::Counter, static_cast<double>(counts.failed_commits)),
          std::move(commits)};
}

}  // namespace

Metrics::Metrics(loop::Loop* loop)
    : loop_(loop),
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

absl::StatusOr<std::string> Metrics::Serialize() {
  using Families = std::vector<MetricFamily>;
  // Shared: the loop may come to it after this call has given up.
  auto promise = std::make_shared<std::promise<Families>>();
  auto families = std::make_shared<Families>();
  loop_->Ask(
      [this, families](const cluster::Model& model) -> absl::StatusOr<loop::Answer> {
        *families = CollectFromLoop(*loop_, model.state());
        return loop::Answer();
      },
      [promise, families](const absl::StatusOr<loop::Answer>& /*answer*/) {
        promise->set_value(std::move(*families));
      });
  auto answer = promise->get_future();
  if (answer.wait_for(kAnswerTimeout) != std::future_status::ready) {
    return absl::DeadlineExceededError("the loop does not answer");
  }
  Families all = answer.get();
  Families ours = registry_.Collect();
  std::move(ours.begin(), ours.end(), std::back_inserter(all));
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace davit::api
