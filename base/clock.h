#ifndef DAVIT_BASE_CLOCK_H_
#define DAVIT_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace davit {

// Time, so that tests can own it. Thread-safe; never blocks.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time: for people and for the wire. It may jump.
  virtual absl::Time Now() const = 0;
  // Monotonic time since an arbitrary start: for deadlines and periods.
  virtual absl::Duration Monotonic() const = 0;
  // As Monotonic(), and the time that the machine slept counts too: for promises to others about
  // how long something lasted. The default is for clocks whose machine never sleeps.
  virtual absl::Duration MonotonicWithSleep() const { return Monotonic(); }

  // The process's real clock.
  static const Clock* Real();
};

// Seconds since 1970 with fraction, as ECS writes times; and back.
double ToEpochSeconds(absl::Time time);
absl::Time FromEpochSeconds(double seconds);

}  // namespace davit

#endif  // DAVIT_BASE_CLOCK_H_
