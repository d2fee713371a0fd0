#include "base/timers.h"

#include <pthread.h>

namespace davit {

ThreadTimers::ThreadTimers(const Clock* clock) : clock_(clock) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "timers");
    Run();
  });
}

ThreadTimers::~ThreadTimers() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

TimerId ThreadTimers::After(absl::Duration delay, Executor* executor, Work work) {
  TimerId id = 0;
  {
    MutexLock lock(&mu_);
    id = next_id_++;
    const Key key{clock_->Monotonic() + delay, id};
    entries_.emplace(key, Entry{executor, std::move(work)});
    keys_.emplace(id, key);
  }
  changed_.NotifyOne();
  return id;
}

void ThreadTimers::Cancel(TimerId id) {
  Entry dropped{nullptr, nullptr};  // destroyed after the lock is free
  MutexLock lock(&mu_);
  const auto key = keys_.find(id);
  if (key == keys_.end()) return;
  const auto entry = entries_.find(key->second);
  dropped = std::move(entry->second);
  entries_.erase(entry);
  keys_.erase(key);
}

void ThreadTimers::Run() {
  for (;;) {
    Entry due{nullptr, nullptr};
    {
      MutexLock lock(&mu_);
      while (due.executor == nullptr) {
        if (stopping_) return;
        if (entries_.empty()) {
          changed_.Wait(&mu_);
          continue;
        }
        const auto first = entries_.begin();
        const absl::Duration wait = first->first.first - clock_->Monotonic();
        if (wait > absl::ZeroDuration()) {
          changed_.WaitFor(&mu_, wait);
          continue;
        }
        keys_.erase(first->first.second);
        due = std::move(first->second);
        entries_.erase(first);
      }
    }
    due.executor->Post(std::move(due.work));
  }
}

}  // namespace davit
