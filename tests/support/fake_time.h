#ifndef DAVIT_TESTS_SUPPORT_FAKE_TIME_H_
#define DAVIT_TESTS_SUPPORT_FAKE_TIME_H_

#include <deque>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/lane_pool.h"
#include "base/mutex.h"
#include "base/timers.h"

namespace davit::test {

// A clock that stands still until the test moves it. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'800'000'000)) : wall_(now) {}
  absl::Time Now() const override {
    MutexLock lock(&mu_);
    return wall_;
  }
  absl::Duration Monotonic() const override {
    MutexLock lock(&mu_);
    return monotonic_;
  }
  absl::Duration MonotonicWithSleep() const override {
    MutexLock lock(&mu_);
    return monotonic_ + slept_;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(&mu_);
    wall_ += by;
    monotonic_ += by;
  }
  // The machine sleeps: timers and monotonic time stand still meanwhile.
  void Sleep(absl::Duration for_long) {
    MutexLock lock(&mu_);
    wall_ += for_long;
    slept_ += for_long;
  }
  // The wall clock is set; monotonic time knows nothing of it.
  void Jump(absl::Duration by) {
    MutexLock lock(&mu_);
    wall_ += by;
  }

 private:
  mutable Mutex mu_;
  absl::Time wall_ ABSL_GUARDED_BY(mu_);
  absl::Duration monotonic_ ABSL_GUARDED_BY(mu_) = absl::Hours(1);
  absl::Duration slept_ ABSL_GUARDED_BY(mu_);
};

// Work runs when the test says so, on the test's thread, in order; that of all lanes alike. Post()
// is thread-safe; what runs work is for one thread.
class FakeExecutor final : public Executor, public BlockingExecutor {
 public:
  void Post(Work work) override {
    MutexLock lock(&mu_);
    queue_.push_back(std::move(work));
  }
  void Post(BlockingCall /*call*/, Work work) override { Post(std::move(work)); }
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

// Timers of a FakeClock: none fires before its delay has passed. Thread-safe. A test moves time by
// Advance(), or by Pass() below, which also runs what is posted.
class FakeTimers final : public Timers {
 public:
  explicit FakeTimers(FakeClock* clock) : clock_(clock) {}
  TimerId After(absl::Duration delay, Executor* executor, Work work) override {
    const absl::Duration now = clock_->Monotonic();
    MutexLock lock(&mu_);
    const TimerId id = next_id_++;
    entries_.emplace(std::make_pair(now + delay, id), std::make_pair(executor, std::move(work)));
    return id;
  }
  void Cancel(TimerId id) override {
    MutexLock lock(&mu_);
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->first.second == id) {
        entries_.erase(entry);
        return;
      }
    }
  }
  // How many have not fired yet.
  size_t size() const {
    MutexLock lock(&mu_);
    return entries_.size();
  }
  // When the next one is due, in monotonic time. Infinite: there is none.
  absl::Duration NextDue() const {
    MutexLock lock(&mu_);
    return entries_.empty() ? absl::InfiniteDuration() : entries_.begin()->first.first;
  }
  // Whoever set them is gone.
  void Clear() {
    MutexLock lock(&mu_);
    entries_.clear();
  }
  // Moves the clock to the next timer, if it is due within `limit` from now, and posts its work.
  bool FireNext(absl::Duration limit = absl::InfiniteDuration()) {
    const absl::Duration now = clock_->Monotonic();
    std::pair<Executor*, Work> due;
    absl::Duration wait;
    {
      MutexLock lock(&mu_);
      if (entries_.empty()) return false;
      const auto first = entries_.begin();
      wait = first->first.first - now;
      if (wait > limit) return false;
      due = std::move(first->second);
      entries_.erase(first);
    }
    if (wait > absl::ZeroDuration()) clock_->Advance(wait);
    due.first->Post(std::move(due.second));
    return true;
  }
  // Moves the clock by `time` and posts the work of what is due by then, in the order of the times.
  // Nothing runs meanwhile: a timer that such work would set counts from the end of `time`.
  void Advance(absl::Duration time) {
    const absl::Duration end = clock_->Monotonic() + time;
    while (FireNext(end - clock_->Monotonic())) {
    }
    if (clock_->Monotonic() < end) clock_->Advance(end - clock_->Monotonic());
  }

 private:
  FakeClock* const clock_;
  mutable Mutex mu_;
  std::map<std::pair<absl::Duration, TimerId>, std::pair<Executor*, Work>> entries_
      ABSL_GUARDED_BY(mu_);
  TimerId next_id_ ABSL_GUARDED_BY(mu_) = 1;
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
