#ifndef DAVIT_AGENT_CONTAINERD_EVENTS_H_
#define DAVIT_AGENT_CONTAINERD_EVENTS_H_

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/containerd/client.h"

namespace davit::containerd {

struct TaskExited {
  std::string container_id;
  std::string process_id;  // the container's id for its main process, else an exec's id
  int exit_status = 0;
  absl::Time exited_at = absl::UnixEpoch();
};
struct TaskOutOfMemory {
  std::string container_id;
};
struct ContainerDeleted {
  std::string container_id;
};
struct Connected {};  // events before this may have been missed
struct Disconnected {
  absl::Status reason;
};
using Event = std::variant<TaskExited, TaskOutOfMemory, ContainerDeleted, Connected, Disconnected>;

// Keeps a stream of containerd's events for the client's namespace open as long as this object
// lives. Reconnects with full-jitter backoff (100 ms to 2 s) after each loss. containerd does not
// say when a subscription takes effect. So this class publishes an event of its own (topic
// "/davit/subscribed") until it comes back, and only then reports Connected. The same probe, after
// each ClientOptions::event_silence, detects a containerd that hangs and reports Disconnected. One
// thread of this object calls `sink`, first with Connected or Disconnected. `sink` must not block.
// The destructor ends the stream and joins the thread; it may wait for one call's deadline.
class Events {
 public:
  using Sink = std::function<void(const Event&)>;
  Events(Client* client, Sink sink);
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

 private:
  class Subscriber;
  const std::unique_ptr<Subscriber> subscriber_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_EVENTS_H_
