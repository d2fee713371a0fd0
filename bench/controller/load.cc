#include "bench/controller/load.h"

#include <signal.h>

#include <algorithm>
#include <thread>

#include "absl/time/clock.h"
#include "base/mutex.h"

namespace davit::bench {
namespace {

std::atomic<bool> is_interrupted{false};

}  // namespace

bool IsInterrupted() { return is_interrupted; }

void CatchSignals() {
  struct sigaction action {};
  action.sa_handler = [](int) { is_interrupted = true; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

double LoadResult::Percentile(double share) const {
  if (latencies_ms.empty()) return 0;
  const auto index = static_cast<size_t>(share * static_cast<double>(latencies_ms.size()));
  return latencies_ms[std::min(index, latencies_ms.size() - 1)];
}

double LoadResult::ItemsPerSecond() const {
  return static_cast<double>(items) / absl::ToDoubleSeconds(time);
}

absl::StatusOr<LoadResult> RunLoad(int port, const LoadLimit& limit, const Call& call) {
  std::atomic<int64_t> items{0};
  std::atomic<bool> is_failed{false};
  Mutex mu;
  LoadResult result;
  absl::Status failure;
  const absl::Time begin = absl::Now();
  const auto run = [&] {
    ApiClient client(port);
    std::vector<double> latencies_ms;
    while (items < limit.items && !is_failed && absl::Now() - begin < limit.time &&
           (limit.is_over == nullptr || !*limit.is_over)) {
      const absl::Time start = absl::Now();
      absl::StatusOr<int64_t> achieved = call(&client);
      if (achieved.ok() && IsInterrupted()) achieved = absl::CancelledError("interrupted");
      if (!achieved.ok()) {
        is_failed = true;
        MutexLock lock(&mu);
        failure.Update(achieved.status());
        break;
      }
      latencies_ms.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
      items += *achieved;
    }
    MutexLock lock(&mu);
    result.latencies_ms.insert(result.latencies_ms.end(), latencies_ms.begin(), latencies_ms.end());
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < limit.threads; ++i) threads.emplace_back(run);
  for (std::thread& thread : threads) thread.join();
  result.time = absl::Now() - begin;
  if (!failure.ok()) return failure;
  result.items = items;
  result.calls = static_cast<int64_t>(result.latencies_ms.size());
  std::sort(result.latencies_ms.begin(), result.latencies_ms.end());
  return result;
}

}  // namespace davit::bench
