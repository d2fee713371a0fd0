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
struct Connected {};  // what happened before this may have been missed
struct Disconnected {
  absl::Status reason;
};
using Event = std::variant<TaskExited, TaskOutOfMemory, ContainerDeleted, Connected, Disconnected>;

// containerd's event stream for the client's namespace, kept up for as long as this object lives:
// reconnected with full-jitter backoff (100 ms to 2 s) after each loss.
//
// containerd does not say when a subscription has taken effect. So an event of our own is published
// (topic "/davit/subscribed") until it comes back; only then Connected is told. The same probe,
// after each ClientOptions::event_silence, finds a containerd that hangs: told as Disconnected.
//
// `sink` is called from one thread of this object's, starting with Connected or Disconnected, and
// must not block. The destructor ends the stream and joins (it may wait for one call's deadline).
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
