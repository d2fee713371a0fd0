#ifndef DAVIT_TESTS_SIM_HOST_CLOCK_H_
#define DAVIT_TESTS_SIM_HOST_CLOCK_H_

#include "tests/support/fake_time.h"

namespace davit::sim {

// The clocks of one machine. Time passes equally on all machines, but each wall clock can be set,
// and monotonic time restarts with each boot. Single-threaded.
class HostClock final : public Clock {
 public:
  // Borrowed: the world's time.
  explicit HostClock(const test::FakeClock* world) : world_(world) {}

  absl::Time Now() const override { return world_->Now() + offset_; }
  absl::Duration Monotonic() const override { return world_->Monotonic() - booted_at_; }
  // Sets the wall clock. Monotonic time does not change.
  void Jump(absl::Duration by) { offset_ += by; }
  void Boot() { booted_at_ = world_->Monotonic(); }

 private:
  const test::FakeClock* const world_;
  absl::Duration offset_;
  absl::Duration booted_at_;
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_HOST_CLOCK_H_
