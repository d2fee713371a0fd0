#include "base/executor.h"

#include <pthread.h>

#include <system_error>
#include <utility>

namespace davit {
namespace {

thread_local const ThreadPool* current_pool = nullptr;  // whose thread this is

}  // namespace

ThreadPool::ThreadPool(std::string name, int threads)
    : name_(std::move(name)), max_threads_(static_cast<size_t>(threads)) {}

ThreadPool::~ThreadPool() { Stop(); }

void ThreadPool::Post(Work work) {
  {
    MutexLock lock(&mu_);
    if (stopping_ && current_pool != this) return;
    queue_.push_back(std::move(work));
    if (queue_.size() > idle_ && threads_.size() < max_threads_ && !stopping_) AddThread();
  }
  available_.NotifyOne();
}

void ThreadPool::AddThread() {
  try {
    threads_.emplace_back([this] {
      pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());  // the kernel's limit
      Run();
    });
  } catch (
      const std::system_error&) {  // the process may have no more: those that are there do the work
    if (threads_.empty()) throw;
  }
}

void ThreadPool::Stop() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  available_.NotifyAll();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

size_t ThreadPool::Depth() const {
  MutexLock lock(&mu_);
  return queue_.size();
}

void ThreadPool::Run() {
  current_pool = this;
  for (;;) {
    Work work;
    {
      MutexLock lock(&mu_);
      ++idle_;
      while (queue_.empty() && !stopping_) available_.Wait(&mu_);
      --idle_;
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    std::move(work)();
  }
}

struct Serial::Queue {
  explicit Queue(Executor* e) : executor(e) {}
  Executor* const executor;
  Mutex mu;
  std::deque<Work> work ABSL_GUARDED_BY(mu);
  bool draining ABSL_GUARDED_BY(mu) = false;
};

Serial::Serial(Executor* executor) : queue_(std::make_shared<Queue>(executor)) {}

void Serial::Post(Work work) {
  {
    MutexLock lock(&queue_->mu);
    queue_->work.push_back(std::move(work));
    if (queue_->draining) return;
    queue_->draining = true;
  }
  queue_->executor->Post([queue = queue_] { Drain(queue); });
}

// Runs one piece and posts itself again, so that one busy actor does not keep a thread from the
// others.
void Serial::Drain(const std::shared_ptr<Queue>& queue) {
  Work work;
  {
    MutexLock lock(&queue->mu);
    work = std::move(queue->work.front());
    queue->work.pop_front();
  }
  std::move(work)();
  work = nullptr;  // what it holds is released before the next piece may start
  {
    MutexLock lock(&queue->mu);
    if (queue->work.empty()) {
      queue->draining = false;
      return;
    }
  }
  queue->executor->Post([queue] { Drain(queue); });
}

}  // namespace davit
