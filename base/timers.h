#ifndef DAVIT_BASE_TIMERS_H_
#define DAVIT_BASE_TIMERS_H_

#include <cstdint>
#include <map>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"

namespace davit {

using TimerId = uint64_t;

// Posts work after a delay. Nothing else in the process waits for time to pass. Thread-safe; never
// blocks.
class Timers {
 public:
  virtual ~Timers() = default;
  // Posts `work` to `executor` after `delay` of monotonic time. Borrows `executor` until then.
  virtual TimerId After(absl::Duration delay, Executor* executor, Work work) = 0;
  // Drops the work, unless it was posted already. So receivers must tolerate a late timer.
  virtual void Cancel(TimerId id) = 0;
};

// One thread with an ordered queue. The destructor drops timers that have not fired.
class ThreadTimers final : public Timers {
 public:
  explicit ThreadTimers(const Clock* clock = Clock::Real());
  ~ThreadTimers() override;
  TimerId After(absl::Duration delay, Executor* executor, Work work) override;
  void Cancel(TimerId id) override;

 private:
  struct Entry {
    Executor* executor;
    Work work;
  };
  using Key = std::pair<absl::Duration, TimerId>;  // due time, then order of calls
  void Run();

  const Clock* const clock_;
  Mutex mu_;
  CondVar changed_;
  std::map<Key, Entry> entries_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<TimerId, Key> keys_ ABSL_GUARDED_BY(mu_);
  TimerId next_id_ ABSL_GUARDED_BY(mu_) = 1;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace davit

#endif  // DAVIT_BASE_TIMERS_H_
