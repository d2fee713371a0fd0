#ifndef DAVIT_BASE_BLOCKING_CALLS_H_
#define DAVIT_BASE_BLOCKING_CALLS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/timers.h"

namespace davit {

// A piece of work that blocks: on the disk, the kernel, a program, a server.
struct BlockingCall {
  std::string lane;  // whose work it is: a task's id, or "host"
  std::string what;  // "creating container web"
  // One step of the call that lasts longer than this is stuck.
  absl::Duration patience = absl::Seconds(10);
};

// A call whose current step has outlasted its patience.
struct StuckCall {
  uint64_t id = 0;
  std::string lane;
  std::string what;  // the call and its step: "creating container web: making folder /mnt/x"
  absl::Time since;  // when the step began
};

// The blocking calls that run now, and those of them that are stuck. Thread-safe; nothing blocks.
class BlockingCalls {
 public:
  // Hears of a call that becomes stuck, and then of its end or next step; in this order, on
  // `control`. It must not block.
  using Observer = std::function<void(const StuckCall& call, bool is_stuck)>;

  // All three outlive this object and the calls.
  BlockingCalls(const Clock* clock, Timers* timers, Executor* control);
  ~BlockingCalls();

  // The calling thread runs this call until the end of the scope.
  class Scope {
   public:
    Scope(BlockingCalls* calls, const BlockingCall& call);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    friend class Doing;
    BlockingCalls* const calls_;
    const uint64_t id_;
    Scope* const outer_;  // of the same thread
  };

  // Replaces the observer; nullptr: nobody.
  void Observe(Observer observer);
  // The oldest first.
  std::vector<StuckCall> Stuck() const;

 private:
  friend class Doing;
  struct Entry {
    BlockingCall call;
    std::string step = {};
    absl::Duration step_began = absl::ZeroDuration();  // monotonic
    absl::Time step_began_at = absl::InfinitePast();
    bool is_stuck = false;
    StuckCall ToStuckCall(uint64_t id) const;
  };
  uint64_t Begin(const BlockingCall& call);
  // Names the step that begins now; returns the name of the one before.
  std::string BeginStep(uint64_t id, std::string step);
  void End(uint64_t id);
  // The call goes on: tells the observer if it was stuck.
  void NoteProgress(uint64_t id, bool is_over, std::string* step);
  void Check();
  // Has Check() run after `delay`; infinite: not at all. Called without the lock.
  void ArmTimer(absl::Duration delay);
  std::shared_ptr<const Observer> observer_copy() const;
  // How long until `due`, if no timer fires by then: the caller arms one. Infinite: one does.
  absl::Duration NextTimer(absl::Duration due) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock* const clock_;
  Timers* const timers_;
  Serial serial_;  // where the observer is called
  mutable Mutex mu_;
  std::map<uint64_t, Entry> entries_ ABSL_GUARDED_BY(mu_);
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
  absl::Duration timer_due_ ABSL_GUARDED_BY(mu_) = absl::InfiniteDuration();  // monotonic
  std::shared_ptr<const Observer> observer_ ABSL_GUARDED_BY(mu_);
};

// Names a step of the call that this thread runs, until the end of the scope: if it hangs, people
// read the step's name and its path. Does nothing on a thread that runs no such call.
class Doing {
 public:
  template <typename... Parts>
  explicit Doing(const Parts&... parts) {
    if (IsWatched()) Begin(absl::StrCat(parts...));
  }
  ~Doing();
  Doing(const Doing&) = delete;
  Doing& operator=(const Doing&) = delete;

 private:
  static bool IsWatched();
  void Begin(std::string step);
  BlockingCalls::Scope* scope_ = nullptr;
  std::string outer_step_;
};

}  // namespace davit

#endif  // DAVIT_BASE_BLOCKING_CALLS_H_
