#ifndef DAVIT_BASE_CLOCK_H_
#define DAVIT_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace davit {

// The source of time. Tests replace it with a fake. Thread-safe; never blocks.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time: for people and for messages. It may jump.
  virtual absl::Time Now() const = 0;
  // Monotonic time since an arbitrary start: for deadlines and periods.
  virtual absl::Duration Monotonic() const = 0;
  // Monotonic time that also counts while the machine sleeps: for durations that were promised to
  // others. The default implementation is for machines that never sleep.
  virtual absl::Duration MonotonicWithSleep() const { return Monotonic(); }

  // The process's real clock.
  static const Clock* Real();
};

// Converts to and from ECS's form of times: seconds since 1970 with fraction.
double ToEpochSeconds(absl::Time time);
absl::Time FromEpochSeconds(double seconds);

}  // namespace davit

#endif  // DAVIT_BASE_CLOCK_H_
