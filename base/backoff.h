#ifndef DAVIT_BASE_BACKOFF_H_
#define DAVIT_BASE_BACKOFF_H_

#include <algorithm>

#include "absl/time/time.h"

namespace davit {

// Full-jitter exponential backoff: the n-th delay is uniform in [0, min(max, first * 2^n)]. Not
// thread-safe.
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration max) : first_(first), max_(max) { Reset(); }
  // The next delay. `uniform` is a random number in [0, 1).
  absl::Duration Next(double uniform);
  // The same, with a random number of its own.
  absl::Duration Next();
  // Call after a success: the next delay starts again at `first`.
  void Reset() { ceiling_ = std::min(first_, max_); }

 private:
  const absl::Duration first_;
  const absl::Duration max_;
  absl::Duration ceiling_;  // upper bound of the next delay
};

}  // namespace davit

#endif  // DAVIT_BASE_BACKOFF_H_
