#include "base/backoff.h"

#include <random>

namespace davit {

absl::Duration Backoff::Next(double uniform) {
  const absl::Duration delay = ceiling_ * uniform;
  ceiling_ = std::min(max_, ceiling_ * 2);
  return delay;
}

absl::Duration Backoff::Next() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return Next(std::uniform_real_distribution<double>(0.0, 1.0)(random));
}

}  // namespace davit
