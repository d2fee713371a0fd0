#include "base/clock.h"

#include <cmath>
#include <ctime>

#include "absl/time/clock.h"

namespace davit {
namespace {

class RealClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
  absl::Duration Monotonic() const override { return Read(CLOCK_MONOTONIC); }
  absl::Duration MonotonicWithSleep() const override { return Read(CLOCK_BOOTTIME); }

 private:
  static absl::Duration Read(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return absl::DurationFromTimespec(now);
  }
};

}  // namespace

const Clock* Clock::Real() {
  static const RealClock clock;
  return &clock;
}

double ToEpochSeconds(absl::Time time) {
  return static_cast<double>(absl::ToUnixMillis(time)) / 1000.0;
}

absl::Time FromEpochSeconds(double seconds) {
  return absl::FromUnixMillis(std::llround(seconds * 1000.0));
}

}  // namespace davit
