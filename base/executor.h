#ifndef DAVIT_BASE_EXECUTOR_H_
#define DAVIT_BASE_EXECUTOR_H_

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/mutex.h"

namespace davit {

using Work = absl::AnyInvocable<void()>;

// Runs posted work later. Thread-safe; Post() never blocks and never runs the work inside the call.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void Post(Work work) = 0;
};

// A named, bounded number of threads over one queue. Blocking work belongs on one of these. A
// thread is made when work comes and none is free, and then stays. The destructor runs what is
// queued, then joins.
class ThreadPool final : public Executor {
 public:
  ThreadPool(std::string name, int threads);
  ~ThreadPool() override;
  void Post(Work work) override;

  // Runs what is queued, and what that posts here in turn (so a Serial's mailbox is run to its
  // end), then joins. Work that other threads post from now on is destroyed without running.
  // Idempotent; not to be called on its own threads.
  void Stop();
  // How many items wait for a thread now.
  size_t Depth() const;
  const std::string& name() const { return name_; }

 private:
  void AddThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Run();

  const std::string name_;
  const size_t max_threads_;
  mutable Mutex mu_;
  CondVar available_;
  std::deque<Work> queue_ ABSL_GUARDED_BY(mu_);
  size_t idle_ ABSL_GUARDED_BY(mu_) = 0;  // threads that wait for work
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // grows under mu_, not any more once it stops
};

// Runs work one piece at a time and in order, on the threads of another executor: an actor's
// mailbox. The state that only such work touches needs no lock. May be destroyed while work is
// queued or running; that work still runs.
class Serial final : public Executor {
 public:
  explicit Serial(Executor* executor);  // `executor` outlives all work posted here
  void Post(Work work) override;

 private:
  struct Queue;
  static void Drain(const std::shared_ptr<Queue>& queue);
  const std::shared_ptr<Queue> queue_;
};

}  // namespace davit

#endif  // DAVIT_BASE_EXECUTOR_H_
