#ifndef DAVIT_AGENT_CONTAINERD_EVENT_STREAM_H_
#define DAVIT_AGENT_CONTAINERD_EVENT_STREAM_H_

// One subscription to containerd's events: for this module's own sources only.

#include <grpcpp/grpcpp.h>

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/containerd/client.h"
#include "agent/containerd/events.h"
#include "github.com/containerd/containerd/api/services/events/v1/events.grpc.pb.h"

namespace davit::containerd {

// Lives for one connection. Run() once, from one thread; Cancel() from any.
class EventStream {
 public:
  explicit EventStream(Client* client);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // Subscribes, and calls `sink` with Connected and then each event. Blocks until the stream ends;
  // returns why, never OK. DeadlineExceeded: containerd is silent.
  absl::Status Run(const std::function<void(const Event&)>& sink);
  // Makes Run() return soon.
  void Cancel() { context_.TryCancel(); }

 private:
  using Envelope = ::containerd::services::events::v1::Envelope;

  // Publishes the event by which the stream knows itself alive.
  absl::Status Probe();
  // Nothing came for a while: probes, or gives up on an unanswered probe.
  absl::Status OnSilence();
  // When OnSilence() is due.
  absl::Duration SilenceLimit() const;
  void OnEnvelope(const Envelope& envelope, const std::function<void(const Event&)>& sink);
  bool Await();
  absl::Status Finish();

  Client* const client_;
  const std::string token_;  // tells our probes from those of others
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  ::containerd::services::events::v1::Events::Stub stub_;
  std::unique_ptr<grpc::ClientAsyncReader<Envelope>> rpc_;
  bool is_connected_ = false;
  std::optional<absl::Duration> probed_at_;  // monotonic; set: no event has come since
};

// nullopt: an event that nobody here asks for. Sources: containerd's api/events/task.proto and
// container.proto; type names without the usual host part.
std::optional<Event> ParseEvent(const google::protobuf::Any& any);

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_EVENT_STREAM_H_
