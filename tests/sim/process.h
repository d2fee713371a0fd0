#ifndef DAVIT_TESTS_SIM_PROCESS_H_
#define DAVIT_TESTS_SIM_PROCESS_H_

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "tests/sim/random.h"
#include "tests/support/fake_time.h"

namespace davit::sim {

// The queue of a thread pool. The simulation plays the threads and runs one work item at a time.
// Single-threaded.
class Pool final : public Executor, public BlockingExecutor {
 public:
  // `threads` > 1: work items may overtake each other, as on several threads.
  explicit Pool(int threads) : may_overtake_(threads > 1) {}
  void Post(Work work) override { queue_.push_back(std::move(work)); }
  void Post(BlockingCall /*call*/, Work work) override { Post(std::move(work)); }

  bool is_ready(absl::Duration now) const { return !queue_.empty() && now >= stalled_until_; }
  // When a stalled queue continues.
  absl::Duration NextDue() const {
    return queue_.empty() ? absl::InfiniteDuration() : stalled_until_;
  }
  void RunOne(Random* random) {
    const bool overtakes = may_overtake_ && random->Chance(0.3);
    const size_t index = overtakes ? random->Below(queue_.size()) : 0;
    Work work = std::move(queue_[index]);
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(index));
    std::move(work)();
  }
  bool empty() const { return queue_.empty(); }
  // All its threads hang until then, as with a slow runtime or disk.
  void Stall(absl::Duration until) { stalled_until_ = until; }

 private:
  const bool may_overtake_;
  std::deque<Work> queue_;
  absl::Duration stalled_until_ = absl::ZeroDuration();
};

// The threads and timers of one program. They end with it, and their pending work is lost.
// Single-threaded.
class Process {
 public:
  Process(test::FakeClock* clock, const std::vector<int>& threads_of_pools) : timers(clock) {
    for (const int threads : threads_of_pools) pools.emplace_back(threads);
  }

  // The program is stopped (SIGSTOP) until then.
  void Pause(absl::Duration until) { paused_until_ = until; }
  bool is_paused(absl::Duration now) const { return now < paused_until_; }
  // When the next timer fires. A past time means at once.
  absl::Duration NextTimer() const { return std::max(timers.NextDue(), paused_until_); }
  // When a waiting queue continues. Infinite: none waits.
  absl::Duration NextStallEnd(absl::Duration now) const {
    absl::Duration end = absl::InfiniteDuration();
    for (const Pool& pool : pools) {
      const absl::Duration due = std::max(pool.NextDue(), paused_until_);
      if (due > now) end = std::min(end, due);
    }
    return end;
  }

  std::deque<Pool> pools;
  test::FakeTimers timers;

 private:
  absl::Duration paused_until_ = absl::ZeroDuration();
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_PROCESS_H_
