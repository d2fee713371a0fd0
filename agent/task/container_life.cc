#include "agent/task/container_life.h"

#include <algorithm>
#include <csignal>

#include "base/status.h"

namespace davit::task {
namespace {

constexpr size_t kOutputLimit = 1024;  // ECS's limit

}  // namespace

absl::Duration LifeUntil(absl::Time until, const Moment& now, const ContainerSnapshot& container) {
  if (!container.started_uptime) return until - *container.started_at;
  return now.uptime - *container.started_uptime - (now.wall - until);
}

bool MayRestart(const ContainerSnapshot& container, absl::Duration lived) {
  const RestartPolicy& policy = container.restart_policy;
  if (!policy.enabled || !container.exit_code) return false;
  const auto& ignored = policy.ignored_exit_codes;
  if (std::find(ignored.begin(), ignored.end(), *container.exit_code) != ignored.end())
    return false;
  return lived >= policy.attempt_period;
}

void BeginNextLife(absl::Time exited_at, ContainerSnapshot* container) {
  container->phase = Phase::kPulled;
  container->work = Work::kBackoff;
  ++container->attempt;
  ++container->restart_count;
  container->stop_signals = 0;
  container->pid = 0;
  container->started_at.reset();
  container->started_uptime.reset();
  container->finished_at = exited_at;
  container->start_timed_out = false;
  container->was_healthy = false;
  for (auto& [kind, probe] : container->probes) {
    probe.health = Health::kUnknown;
    probe.failures = 0;
  }
}

bool EndedAsAsked(const TaskSnapshot& task, const ContainerSnapshot& container,
                  bool out_of_memory) {
  const int code = container.exit_code.value_or(0);
  if (task.goal != Goal::kStop) return false;
  if (code == 128 + container.stop_signal) return true;
  // Without a signal it ended while it waited for its turn to be stopped. But a restarted agent
  // does not know which signals its predecessor sent.
  return !out_of_memory && (container.stop_signals > 0 || code == 128 + SIGKILL);
}

void NoteCheck(const Moment& now, const CheckResult& result, const ContainerSnapshot& container,
               Probe* probe) {
  std::vector<CheckResult>& results = probe->results;
  if (results.size() >= kKeptResults) results.erase(results.begin());
  results.push_back({result.exit_code, Shorten(result.output, kOutputLimit), now.wall});
  if (result.exit_code == 0) {
    probe->health = Health::kHealthy;
    probe->failures = 0;
    return;
  }
  const bool is_starting = probe->health == Health::kUnknown && container.started_at &&
                           LifeUntil(now.wall, now, container) < probe->check.start_period;
  if (is_starting) return;
  probe->failures = std::min(probe->failures + 1, probe->check.retries);
  if (probe->failures == probe->check.retries) probe->health = Health::kUnhealthy;
}

}  // namespace davit::task
