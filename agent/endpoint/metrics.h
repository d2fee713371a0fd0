#ifndef DAVIT_AGENT_ENDPOINT_METRICS_H_
#define DAVIT_AGENT_ENDPOINT_METRICS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/resource/task_cgroups.h"
#include "agent/store/store.h"
#include "agent/supervisor/session_state.h"
#include "agent/supervisor/supervisor.h"
#include "agent/supervisor/task_files.h"
#include "base/http_server.h"

namespace davit::endpoint {

// A pool whose queue is exported.
struct PoolGauge {
  std::string name;
  std::function<size_t()> depth;
};

// What a scrape shows; all of it read at that moment. Names: davit_agent_*, base units, documented
// in docs/operations.md.
struct MetricSources {
  supervisor::Supervisor* supervisor;
  std::function<supervisor::SessionState()> session;
  const store::Store* store;
  const resource::TaskCgroups* cgroups;
  std::vector<PoolGauge> pools;
  const HttpServerCounters* http;  // of the server that this is shown by
  std::string version;
  const supervisor::TaskFiles* files = nullptr;  // where containers' logs are
};

// The metrics in Prometheus' text format. Blocks for the reading of one cgroup and one
// small file per running container. DeadlineExceeded: the tasks do not answer.
absl::StatusOr<std::string> RenderMetrics(const MetricSources& sources);

}  // namespace davit::endpoint

#endif  // DAVIT_AGENT_ENDPOINT_METRICS_H_
