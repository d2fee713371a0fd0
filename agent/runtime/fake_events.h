#ifndef DAVIT_AGENT_RUNTIME_FAKE_EVENTS_H_
#define DAVIT_AGENT_RUNTIME_FAKE_EVENTS_H_

#include <functional>
#include <memory>

#include "agent/runtime/runtime.h"
#include "base/executor.h"

namespace davit::runtime {

// The event stream of a fake runtime: events are posted to an executor, in order, one at a time.
// Thread-safe; nothing blocks. What was posted may run when this object is gone.
class FakeEvents {
 public:
  // Outlives this object.
  explicit FakeEvents(Executor* executor);
  ~FakeEvents();
  FakeEvents(const FakeEvents&) = delete;
  FakeEvents& operator=(const FakeEvents&) = delete;

  // `sink` gets what is added from now on; nullptr: nobody does.
  void SetSink(std::function<void(const RuntimeEvent&)> sink);
  // Queues an event. May be called under a lock of the caller's.
  void Add(const RuntimeEvent& event);
  // Has the queue sent. Not under a lock.
  void Deliver();

 private:
  struct Mailbox;
  const std::shared_ptr<Mailbox> mailbox_;
  Serial executor_;
};

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_FAKE_EVENTS_H_
