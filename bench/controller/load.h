#ifndef DAVIT_BENCH_CONTROLLER_LOAD_H_
#define DAVIT_BENCH_CONTROLLER_LOAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/controller/api_client.h"

namespace davit::bench {

// One call and what it achieved: how many tasks it placed, stopped or described.
using Call = std::function<absl::StatusOr<int64_t>(ApiClient* client)>;

struct LoadLimit {
  int threads = 3;
  absl::Duration time = absl::Seconds(4);
  int64_t items = INT64_MAX;  // ends when so many have been achieved by all threads together
  const std::atomic<bool>* is_over = nullptr;  // ends when true
};

struct LoadResult {
  int64_t calls = 0;
  int64_t items = 0;
  absl::Duration time;
  std::vector<double> latencies_ms;  // sorted, one per call
  double Percentile(double share) const;
  double ItemsPerSecond() const;
};

// Makes calls from several threads, each over its own connection and each waiting for its answer,
// until a limit is reached. The first failure ends it and is returned.
absl::StatusOr<LoadResult> RunLoad(int port, const LoadLimit& limit, const Call& call);

// True once SIGINT or SIGTERM came (after CatchSignals): every load ends early and fails.
bool IsInterrupted();
void CatchSignals();

}  // namespace davit::bench

#endif  // DAVIT_BENCH_CONTROLLER_LOAD_H_
