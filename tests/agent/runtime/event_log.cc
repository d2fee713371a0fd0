#include "tests/agent/runtime/runtime_world.h"

namespace davit::test {

using runtime::RuntimeEvent;

std::function<void(const RuntimeEvent&)> EventLog::Sink() {
  return [this](const RuntimeEvent& event) {
    {
      MutexLock lock(&mu_);
      events_.push_back(event);
    }
    added_.NotifyAll();
  };
}

std::optional<RuntimeEvent> EventLog::Next(RuntimeEvent::Kind kind,
                                           const std::string& container_id) {
  MutexLock lock(&mu_);
  for (;;) {
    while (seen_ < events_.size()) {
      const RuntimeEvent& event = events_[seen_++];
      const bool is_wanted = container_id.empty() || event.container_id == container_id;
      if (event.kind == kind && is_wanted) return event;
    }
    if (!added_.WaitFor(&mu_, absl::Seconds(20)) && seen_ == events_.size()) return std::nullopt;
  }
}

size_t EventLog::Count(RuntimeEvent::Kind kind, const std::string& container_id) const {
  MutexLock lock(&mu_);
  size_t count = 0;
  for (const RuntimeEvent& event : events_) {
    if (event.kind == kind && event.container_id == container_id) ++count;
  }
  return count;
}

}  // namespace davit::test
