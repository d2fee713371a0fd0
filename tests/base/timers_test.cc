#include "base/timers.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"

namespace davit {
namespace {

// A clock that the test moves. Thread-safe.
class SteppedClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::UnixEpoch() + Monotonic(); }
  absl::Duration Monotonic() const override { return absl::Seconds(seconds_.load()); }
  void Advance(int seconds) { seconds_ += seconds; }

 private:
  std::atomic<int> seconds_{1000};
};

// Fires all due timers: a timer without delay wakes the thread, which then reads the clock.
void Wake(ThreadTimers* timers, Executor* executor) {
  absl::Notification fired;
  timers->After(absl::ZeroDuration(), executor, [&] { fired.Notify(); });
  fired.WaitForNotification();
}

TEST_CASE("timers fire in the order of their time, then of their creation", "[timers]") {
  std::vector<int> order;
  SteppedClock clock;
  ThreadPool pool("test", 1);
  ThreadTimers timers(&clock);
  timers.After(absl::Seconds(3), &pool, [&] { order.push_back(3); });
  timers.After(absl::Seconds(1), &pool, [&] { order.push_back(1); });
  timers.After(absl::Seconds(2), &pool, [&] { order.push_back(20); });
  timers.After(absl::Seconds(2), &pool, [&] { order.push_back(21); });
  clock.Advance(3);
  Wake(&timers, &pool);
  CHECK(order == std::vector<int>{1, 20, 21, 3});
}

TEST_CASE("a timer does not fire before its time", "[timers]") {
  std::atomic<bool> fired{false};
  SteppedClock clock;
  ThreadPool pool("test", 1);
  ThreadTimers timers(&clock);
  timers.After(absl::Seconds(2), &pool, [&] { fired = true; });
  clock.Advance(1);
  Wake(&timers, &pool);
  CHECK_FALSE(fired);
  clock.Advance(1);
  Wake(&timers, &pool);
  CHECK(fired);
}

TEST_CASE("a cancelled timer does not fire, and its work is released at once", "[timers]") {
  SteppedClock clock;
  ThreadPool pool("test", 1);
  ThreadTimers timers(&clock);
  auto token = std::make_shared<int>(0);
  const TimerId id = timers.After(absl::Seconds(1), &pool, [token] { ++*token; });
  timers.Cancel(id);
  CHECK(token.use_count() == 1);
  clock.Advance(10);
  Wake(&timers, &pool);
  CHECK(*token == 0);
}

TEST_CASE("cancelling a fired or unknown timer does nothing", "[timers]") {
  ThreadPool pool("test", 1);
  ThreadTimers timers;
  absl::Notification fired;
  const TimerId id = timers.After(absl::ZeroDuration(), &pool, [&] { fired.Notify(); });
  fired.WaitForNotification();
  timers.Cancel(id);
  timers.Cancel(12345);
}

TEST_CASE("an infinite timer does not delay others", "[timers]") {
  ThreadPool pool("test", 1);
  ThreadTimers timers;
  bool never = false;
  absl::Notification fired;
  timers.After(absl::InfiniteDuration(), &pool, [&] { never = true; });
  timers.After(absl::Milliseconds(1), &pool, [&] { fired.Notify(); });
  fired.WaitForNotification();
  CHECK_FALSE(never);
}

TEST_CASE("pending work is dropped with the timers", "[timers]") {
  auto token = std::make_shared<int>(0);
  ThreadPool pool("test", 1);
  {
    ThreadTimers timers;
    timers.After(absl::Hours(1), &pool, [token] { ++*token; });
  }
  CHECK(token.use_count() == 1);
  CHECK(*token == 0);
}

}  // namespace
}  // namespace davit
