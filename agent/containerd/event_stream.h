#ifndef DAVIT_AGENT_CONTAINERD_EVENT_STREAM_H_
#define DAVIT_AGENT_CONTAINERD_EVENT_STREAM_H_

// One subscription to containerd's events, only for this module's sources.

#include <grpcpp/grpcpp.h>

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/containerd/client.h"
#include "agent/containerd/events.h"
#include "github.com/containerd/containerd/api/services/events/v1/events.grpc.pb.h"

namespace davit::containerd {

// Serves one connection. Call Run() once, from one thread; Cancel() from any thread.
class EventStream {
 public:
  explicit EventStream(Client* client);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // Subscribes, and calls `sink` with Connected and then with each event. Blocks until the stream
  // ends and returns the reason, never OK. DeadlineExceeded: containerd does not respond.
  absl::Status Run(const std::function<void(const Event&)>& sink);
  // Makes Run() return soon.
  void Cancel() { context_.TryCancel(); }

 private:
  using Envelope = ::containerd::services::events::v1::Envelope;

  // Publishes an event of our own. Its return proves that the stream works.
  absl::Status Probe();
  // Called after a silence: probes the stream, or fails if the last probe has not returned.
  absl::Status OnSilence();
  // When OnSilence() is due.
  absl::Duration SilenceLimit() const;
  void OnEnvelope(const Envelope& envelope, const std::function<void(const Event&)>& sink);
  bool Await();
  absl::Status Finish();

  Client* const client_;
  const std::string token_;  // distinguishes our probes from those of others
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  ::containerd::services::events::v1::Events::Stub stub_;
  std::unique_ptr<grpc::ClientAsyncReader<Envelope>> rpc_;
  bool is_connected_ = false;
  std::optional<absl::Duration> probed_at_;  // monotonic; set: no event has come since
};

// nullopt: an event that the agent does not need. Sources: containerd's api/events/task.proto and
// container.proto. Type names lack the usual host part.
std::optional<Event> ParseEvent(const google::protobuf::Any& any);

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_EVENT_STREAM_H_
