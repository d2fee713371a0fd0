#include "agent/task/container_life.h"

#include <algorithm>

#include "base/status.h"

namespace davit::task {
namespace {

constexpr size_t kHealthOutputLimit = 1024;

}  // namespace

bool MayRestart(const ContainerSnapshot& container, absl::Time exited_at) {
  const RestartPolicy& policy = container.restart_policy;
  if (!policy.enabled || !container.exit_code || !container.started_at) return false;
  const auto& ignored = policy.ignored_exit_codes;
  if (std::find(ignored.begin(), ignored.end(), *container.exit_code) != ignored.end())
    return false;
  return exited_at - *container.started_at >= policy.attempt_period;
}

void BeginNextLife(absl::Time exited_at, ContainerSnapshot* container) {
  container->phase = Phase::kPulled;
  container->work = Work::kBackoff;
  ++container->attempt;
  ++container->restart_count;
  container->stop_signals = 0;
  container->pid = 0;
  container->started_at.reset();
  container->finished_at = exited_at;
  container->start_timed_out = false;
  container->health = Health::kUnknown;
  container->health_failures = 0;
}

bool IsOfEarlierLife(absl::Time exited_at, const ContainerSnapshot& container) {
  return container.restart_count > 0 && container.finished_at &&
         exited_at <= *container.finished_at;
}

void NoteHealthCheck(absl::Time at, bool passed, const std::string& output,
                     ContainerSnapshot* container) {
  container->health_output = Shorten(output, kHealthOutputLimit);
  if (passed) {
    container->health = Health::kHealthy;
    container->health_failures = 0;
    return;
  }
  const bool is_starting = container->health == Health::kUnknown && container->started_at &&
                           at < *container->started_at + container->health_check->start_period;
  if (is_starting) return;
  if (++container->health_failures >= container->health_check->retries)
    container->health = Health::kUnhealthy;
}

}  // namespace davit::task
