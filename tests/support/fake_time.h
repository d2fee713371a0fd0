#ifndef DAVIT_TESTS_SUPPORT_FAKE_TIME_H_
#define DAVIT_TESTS_SUPPORT_FAKE_TIME_H_

#include <deque>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/timers.h"

namespace davit::test {

// A clock that stands still until the test moves it. Single-threaded.
class FakeClock final : public Clock {
 public:
  absl::Time Now() const override { return wall_; }
  absl::Duration Monotonic() const override { return monotonic_; }
  void Advance(absl::Duration by) {
    wall_ += by;
    monotonic_ += by;
  }
  absl::Duration MonotonicWithSleep() const override { return monotonic_ + slept_; }
  // The machine sleeps: timers and monotonic time stand still meanwhile.
  void Sleep(absl::Duration for_long) {
    wall_ += for_long;
    slept_ += for_long;
  }
  // The wall clock is set; monotonic time knows nothing of it.
  void Jump(absl::Duration by) { wall_ += by; }

 private:
  absl::Time wall_ = absl::FromUnixSeconds(1'800'000'000);
  absl::Duration monotonic_ = absl::Hours(1);
  absl::Duration slept_;
};

// Work runs when the test says so, on the test's thread, in order. Post() is thread-safe; what runs
// work is for one thread.
class FakeExecutor final : public Executor {
 public:
  void Post(Work work) override {
    MutexLock lock(&mu_);
    queue_.push_back(std::move(work));
  }
  bool RunOne() {
    Work work;
    {
      MutexLock lock(&mu_);
      if (queue_.empty()) return false;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    std::move(work)();
    return true;
  }
  // Until nothing is left, also of what is posted meanwhile.
  void RunAll() {
    while (RunOne()) {
    }
  }
  size_t size() const {
    MutexLock lock(&mu_);
    return queue_.size();
  }

 private:
  mutable Mutex mu_;
  std::deque<Work> queue_ ABSL_GUARDED_BY(mu_);
};

// Timers of a FakeClock. Single-threaded.
class FakeTimers final : public Timers {
 public:
  explicit FakeTimers(FakeClock* clock) : clock_(clock) {}
  TimerId After(absl::Duration delay, Executor* executor, Work work) override {
    const TimerId id = next_id_++;
    entries_.emplace(std::make_pair(clock_->Monotonic() + delay, id),
                     std::make_pair(executor, std::move(work)));
    return id;
  }
  void Cancel(TimerId id) override {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->first.second == id) {
        entries_.erase(entry);
        return;
      }
    }
  }
  // When the next one is due, in monotonic time. Infinite: there is none.
  absl::Duration NextDue() const {
    return entries_.empty() ? absl::InfiniteDuration() : entries_.begin()->first.first;
  }
  // Whoever set them is gone.
  void Clear() { entries_.clear(); }
  // Moves the clock to the next timer, if it is due within `limit` from now, and posts its work.
  bool FireNext(absl::Duration limit = absl::InfiniteDuration()) {
    if (entries_.empty()) return false;
    auto first = entries_.begin();
    const absl::Duration wait = first->first.first - clock_->Monotonic();
    if (wait > limit) return false;
    if (wait > absl::ZeroDuration()) clock_->Advance(wait);
    auto due = std::move(first->second);
    entries_.erase(first);
    due.first->Post(std::move(due.second));
    return true;
  }

 private:
  FakeClock* const clock_;
  std::map<std::pair<absl::Duration, TimerId>, std::pair<Executor*, Work>> entries_;
  TimerId next_id_ = 1;
};

// Lets `limit` of fake time pass: runs what is posted, fires what is due.
inline void Pass(absl::Duration limit, FakeClock* clock, FakeTimers* timers,
                 FakeExecutor* executor) {
  const absl::Duration end = clock->Monotonic() + limit;
  executor->RunAll();
  while (timers->FireNext(end - clock->Monotonic())) executor->RunAll();
  if (clock->Monotonic() < end) clock->Advance(end - clock->Monotonic());
}

}  // namespace davit::test

#endif  // DAVIT_TESTS_SUPPORT_FAKE_TIME_H_
