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

// Posts work after a time. The only thing in the process that waits for time to pass. Thread-safe;
// never blocks.
class Timers {
 public:
  virtual ~Timers() = default;
  // Posts `work` to `executor` (borrowed until then) once `delay` of monotonic time has passed.
  virtual TimerId After(absl::Duration delay, Executor* executor, Work work) = 0;
  // Afterwards the work will not be posted, unless that has already happened: receivers must bear a
  // late one.
  virtual void Cancel(TimerId id) = 0;
};

// One thread over an ordered queue. The destructor drops what has not fired.
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
  using Key = std::pair<absl::Duration, TimerId>;  // when, then who was first
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
