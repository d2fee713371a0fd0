#include "agent/runtime/fake_events.h"

#include <deque>
#include <utility>

#include "base/mutex.h"

namespace davit::runtime {

struct FakeEvents::Mailbox {
  Mutex mu;
  std::deque<RuntimeEvent> events ABSL_GUARDED_BY(mu);
  std::function<void(const RuntimeEvent&)> sink ABSL_GUARDED_BY(mu);
};

FakeEvents::FakeEvents(Executor* executor)
    : mailbox_(std::make_shared<Mailbox>()), executor_(executor) {}

FakeEvents::~FakeEvents() { SetSink(nullptr); }

void FakeEvents::SetSink(std::function<void(const RuntimeEvent&)> sink) {
  const MutexLock lock(&mailbox_->mu);
  mailbox_->sink = std::move(sink);
  mailbox_->events.clear();
}

void FakeEvents::Add(const RuntimeEvent& event) {
  const MutexLock lock(&mailbox_->mu);
  mailbox_->events.push_back(event);
}

void FakeEvents::Deliver() {
  executor_.Post([mailbox = mailbox_] {
    std::deque<RuntimeEvent> events;
    std::function<void(const RuntimeEvent&)> sink;
    {
      const MutexLock lock(&mailbox->mu);
      if (!mailbox->sink) return;
      events.swap(mailbox->events);
      sink = mailbox->sink;
    }
    for (const RuntimeEvent& event : events) sink(event);
  });
}

}  // namespace davit::runtime
