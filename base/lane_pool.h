#ifndef DAVIT_BASE_LANE_POOL_H_
#define DAVIT_BASE_LANE_POOL_H_

#include <deque>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/blocking_calls.h"

namespace davit {

// Where blocking work runs later. Thread-safe; Post() never blocks and never runs the work inside
// the call.
class BlockingExecutor {
 public:
  virtual ~BlockingExecutor() = default;
  virtual void Post(BlockingCall call, Work work) = 0;
};

// Threads for calls that may hang for ever, such that those of one lane never hold up the others:
//   * Each lane has a few calls at a time, and the lanes take turns.
//   * A call that takes long does not count as one of the pool's threads any more: another thread
//     takes its place, and goes when the long call has returned.
//   * When very many calls take long, lanes that have one of them get no further thread.
// Work of one lane may overtake that of another, and runs beside other work of its own lane.
class LanePool final : public BlockingExecutor {
 public:
  struct Options {
    std::string name = "";      // of its threads: at most 15 characters are shown
    size_t threads = 8;         // that are not in a long call
    size_t calls_per_lane = 2;  // at a time, long ones included
    absl::Duration long_call = absl::Seconds(2);
    size_t max_long_calls = 64;  // beyond it, lanes with a long call wait
    size_t max_threads = 512;    // beyond it, everybody waits
  };
  struct Deps {
    const Clock* clock;
    Timers* timers;
    Executor* control;
    BlockingCalls* calls;
  };
  // What is in `deps` outlives this object.
  LanePool(Options options, const Deps& deps);
  ~LanePool() override;

  void Post(BlockingCall call, Work work) override;
  // Runs what is queued, and what that posts here in turn, then joins: waits for calls that hang.
  // Work that other threads post from now on is destroyed without running. Idempotent; not to be
  // called on its own threads.
  void Stop();
  // How many items wait for a thread now.
  size_t Depth() const;
  // How many calls take long now.
  size_t LongCalls() const;

 private:
  struct Item {
    BlockingCall call;
    Work work;
  };
  struct Lane {
    std::deque<Item> waiting;
    size_t running = 0;
    size_t running_long = 0;
    bool is_ready = false;  // it stands in ready_
  };
  struct Running {
    std::string lane;
    absl::Duration began;  // monotonic
    bool is_long = false;
  };

  void Run();
  // The next item, or nothing when this thread is to end.
  bool Take(Item* item, uint64_t* id);
  void Finish(uint64_t id);
  // Puts the lane in ready_ if it has work that may run.
  void MakeReady(const std::string& name, Lane* lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsSurplus() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AddThreads() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool AddThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // When work waits for a thread: the time until the next call is a long one; else infinite.
  absl::Duration NextTimer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ArmTimer(absl::Duration delay);
  void NoteLongCalls();
  // Joins threads that have ended.
  void Reap();

  const Options options_;
  const Deps deps_;
  mutable Mutex mu_;
  CondVar available_;
  std::map<std::string, Lane> lanes_ ABSL_GUARDED_BY(mu_);  // those with work
  std::deque<std::string> ready_ ABSL_GUARDED_BY(mu_);      // lanes with work that may run, in turn
  std::map<uint64_t, Running> running_ ABSL_GUARDED_BY(mu_);
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
  size_t waiting_ ABSL_GUARDED_BY(mu_) = 0;
  size_t long_calls_ ABSL_GUARDED_BY(mu_) = 0;
  size_t idle_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_timer_armed_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::map<std::thread::id, std::thread> threads_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> ended_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit

#endif  // DAVIT_BASE_LANE_POOL_H_
