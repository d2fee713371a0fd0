#include "base/lane_pool.h"

#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace davit {
namespace {

thread_local const LanePool* current_pool = nullptr;  // whose thread this is

}  // namespace

LanePool::LanePool(Options options, const Deps& deps) : options_(std::move(options)), deps_(deps) {}

LanePool::~LanePool() { Stop(); }

void LanePool::Post(BlockingCall call, Work work) {
  absl::Duration timer;
  {
    MutexLock lock(&mu_);
    if (stopping_ && current_pool != this) return;
    const std::string name = call.lane;
    Lane& lane = lanes_[name];
    lane.waiting.push_back({std::move(call), std::move(work)});
    ++waiting_;
    MakeReady(name, &lane);
    AddThreads();
    timer = NextTimer();
  }
  available_.NotifyOne();
  ArmTimer(timer);
}

void LanePool::MakeReady(const std::string& name, Lane* lane) {
  const bool must_wait = lane->running >= options_.calls_per_lane ||
                         (lane->running_long > 0 && long_calls_ >= options_.max_long_calls);
  if (lane->is_ready || lane->waiting.empty() || must_wait) return;
  lane->is_ready = true;
  ready_.push_back(name);
}

bool LanePool::IsSurplus() const { return threads_.size() > options_.threads + long_calls_; }

void LanePool::AddThreads() {
  for (size_t wanted = ready_.size(); wanted > idle_; --wanted) {
    const size_t allowed = std::min(options_.threads + long_calls_, options_.max_threads);
    if (stopping_ || threads_.size() >= allowed || !AddThread()) return;
  }
}

bool LanePool::AddThread() {
  try {
    std::thread thread([this] {
      pthread_setname_np(pthread_self(),
                         options_.name.substr(0, 15).c_str());  // the kernel's limit
      Run();
    });
    const std::thread::id id = thread.get_id();
    threads_.emplace(id, std::move(thread));
    return true;
  } catch (const std::system_error&) {  // the process may have no more: those there do the work
    if (threads_.empty()) throw;
    return false;
  }
}

void LanePool::Run() {
  current_pool = this;
  Item item;
  uint64_t id = 0;
  while (Take(&item, &id)) {
    {
      const BlockingCalls::Scope scope(deps_.calls, item.call);
      std::move(item.work)();
      item.work = nullptr;  // what it holds is released as part of the call
    }
    Finish(id);
  }
  Reap();
}

bool LanePool::Take(Item* item, uint64_t* id) {
  absl::Duration timer;
  {
    MutexLock lock(&mu_);
    ++idle_;
    while (ready_.empty() && !stopping_ && !IsSurplus()) available_.Wait(&mu_);
    --idle_;
    if (ready_.empty() || (IsSurplus() && !stopping_)) {
      const auto self = threads_.find(std::this_thread::get_id());
      if (self != threads_.end()) {  // else Stop() waits for it already
        ended_.push_back(std::move(self->second));
        threads_.erase(self);
      }
      available_.NotifyOne();  // this thread may have had the call that was another's
      return false;
    }
    const std::string name = std::move(ready_.front());
    ready_.pop_front();
    Lane& lane = lanes_[name];
    lane.is_ready = false;
    *item = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    --waiting_;
    ++lane.running;
    *id = next_id_++;
    running_.emplace(*id, Running{name, deps_.clock->Monotonic()});
    MakeReady(name, &lane);
    AddThreads();
    timer = NextTimer();
    if (!ready_.empty()) available_.NotifyOne();
  }
  ArmTimer(timer);
  return true;
}

void LanePool::Finish(uint64_t id) {
  absl::Duration timer;
  bool was_crowded = false;
  {
    MutexLock lock(&mu_);
    const auto running = running_.find(id);
    const std::string name = running->second.lane;
    Lane& lane = lanes_[name];
    --lane.running;
    was_crowded = long_calls_ >= options_.max_long_calls;
    if (running->second.is_long) {
      --lane.running_long;
      --long_calls_;
    }
    running_.erase(running);
    MakeReady(name, &lane);
    if (was_crowded) {
      for (auto& [other, waiting] : lanes_) MakeReady(other, &waiting);
    }
    if (lane.running == 0 && lane.waiting.empty()) lanes_.erase(name);
    AddThreads();
    timer = NextTimer();
  }
  // One lane more is this thread's own next work.
  if (was_crowded) available_.NotifyAll();
  ArmTimer(timer);
}

absl::Duration LanePool::NextTimer() {
  if (is_timer_armed_ || ready_.size() <= idle_) return absl::InfiniteDuration();
  absl::Duration began = absl::InfiniteDuration();
  for (const auto& [id, running] : running_) {
    if (!running.is_long) began = std::min(began, running.began);
  }
  if (began == absl::InfiniteDuration()) return began;
  is_timer_armed_ = true;
  return std::max(began + options_.long_call - deps_.clock->Monotonic(), absl::ZeroDuration());
}

void LanePool::ArmTimer(absl::Duration delay) {
  if (delay == absl::InfiniteDuration()) return;
  deps_.timers->After(delay, deps_.control, [this] { NoteLongCalls(); });
}

void LanePool::NoteLongCalls() {
  absl::Duration timer;
  {
    MutexLock lock(&mu_);
    is_timer_armed_ = false;
    const absl::Duration now = deps_.clock->Monotonic();
    for (auto& [id, running] : running_) {
      if (running.is_long || now - running.began < options_.long_call) continue;
      running.is_long = true;
      ++lanes_[running.lane].running_long;
      ++long_calls_;
    }
    AddThreads();
    timer = NextTimer();
  }
  available_.NotifyAll();
  ArmTimer(timer);
}

void LanePool::Reap() {
  std::vector<std::thread> ended;
  {
    MutexLock lock(&mu_);
    ended.swap(ended_);
  }
  for (std::thread& thread : ended) {
    if (thread.get_id() != std::this_thread::get_id()) {
      thread.join();
    } else {
      MutexLock lock(&mu_);
      ended_.push_back(std::move(thread));
    }
  }
}

void LanePool::Stop() {
  for (;;) {
    std::vector<std::thread> threads;
    {
      MutexLock lock(&mu_);
      stopping_ = true;
      threads.swap(ended_);
      for (auto& [id, thread] : threads_) threads.push_back(std::move(thread));
      threads_.clear();
    }
    available_.NotifyAll();
    if (threads.empty()) return;
    for (std::thread& thread : threads) thread.join();
  }
}

size_t LanePool::Depth() const {
  MutexLock lock(&mu_);
  return waiting_;
}

size_t LanePool::LongCalls() const {
  MutexLock lock(&mu_);
  return long_calls_;
}

}  // namespace davit
