#include "agent/containerd/event_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/containerd/connection.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/status.h"
#include "github.com/containerd/containerd/api/events/container.pb.h"
#include "github.com/containerd/containerd/api/events/task.pb.h"
#include "google/protobuf/wrappers.pb.h"

namespace davit::containerd {
namespace {

namespace api = ::containerd::services::events::v1;
namespace events = ::containerd::events;

constexpr char kProbeTopic[] = "/davit/subscribed";
constexpr char kProbeType[] = "google.protobuf.StringValue";
// How often a new subscription is probed. A single probe might come before the subscription takes
// effect.
constexpr absl::Duration kProbeRepeat = absl::Milliseconds(20);

api::SubscribeRequest MakeRequest(const std::string& containerd_namespace) {
  api::SubscribeRequest request;
  for (const char* topic : {"/tasks/exit", "/tasks/oom", "/containers/delete", kProbeTopic}) {
    // containerd's filter language: a comma is "and", several filters are "or".
    request.add_filters(
        absl::StrCat("topic==\"", topic, "\",namespace==\"", containerd_namespace, "\""));
  }
  return request;
}

}  // namespace

std::optional<Event> ParseEvent(const google::protobuf::Any& any) {
  if (any.type_url() == "containerd.events.TaskExit") {
    events::TaskExit exit;
    if (!exit.ParseFromString(any.value())) return std::nullopt;
    return TaskExited{exit.container_id(), exit.id(), static_cast<int>(exit.exit_status()),
                      ToTime(exit.exited_at())};
  }
  if (any.type_url() == "containerd.events.TaskOOM") {
    events::TaskOOM oom;
    if (!oom.ParseFromString(any.value())) return std::nullopt;
    return TaskOutOfMemory{oom.container_id()};
  }
  if (any.type_url() == "containerd.events.ContainerDelete") {
    events::ContainerDelete deletion;
    if (!deletion.ParseFromString(any.value())) return std::nullopt;
    return ContainerDeleted{deletion.id()};
  }
  return std::nullopt;
}

EventStream::EventStream(Client* client)
    : client_(client), token_(RandomHex32()), stub_(client->connection().channel) {
  SetMetadata(*client, {}, &context_);
}

EventStream::~EventStream() {
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

absl::Status EventStream::Run(const std::function<void(const Event&)>& sink) {
  rpc_ = stub_.PrepareAsyncSubscribe(&context_,
                                     MakeRequest(client_->options().containerd_namespace), &queue_);
  rpc_->StartCall(this);
  if (!Await()) return Finish();
  const absl::Duration started_at = Clock::Real()->Monotonic();
  Envelope envelope;
  rpc_->Read(&envelope, this);
  for (;;) {
    void* tag = nullptr;
    bool ok = false;
    const auto next = queue_.AsyncNext(&tag, &ok, MonotonicDeadline(SilenceLimit()));
    if (next == grpc::CompletionQueue::GOT_EVENT) {
      if (!ok) return Finish();
      probed_at_.reset();
      OnEnvelope(envelope, sink);
      rpc_->Read(&envelope, this);
      continue;
    }
    absl::Status status = OnSilence();
    if (status.ok() && !is_connected_ &&
        Clock::Real()->Monotonic() - started_at > client_->options().call_timeout) {
      status = absl::DeadlineExceededError("the subscription did not take effect");
    }
    if (!status.ok()) {
      Cancel();
      Await();  // the read
      Finish().IgnoreError();
      return status;
    }
  }
}

absl::Status EventStream::Probe() {
  google::protobuf::StringValue value;
  value.set_value(token_);
  api::PublishRequest request;
  request.set_topic(kProbeTopic);
  request.mutable_event()->set_type_url(kProbeType);
  request.mutable_event()->set_value(value.SerializeAsString());
  google::protobuf::Empty response;
  return Annotate(Call(*client_, {}, &stub_, &api::Events::Stub::Publish, request, &response),
                  "probing containerd's event stream");
}

absl::Status EventStream::OnSilence() {
  if (is_connected_ && probed_at_.has_value()) {
    return absl::DeadlineExceededError("containerd's event stream does not respond");
  }
  RETURN_IF_ERROR(Probe());
  probed_at_ = Clock::Real()->Monotonic();
  return absl::OkStatus();
}

absl::Duration EventStream::SilenceLimit() const {
  if (!is_connected_) return probed_at_.has_value() ? kProbeRepeat : absl::ZeroDuration();
  if (!probed_at_.has_value()) return client_->options().event_silence;
  const absl::Duration due = *probed_at_ + client_->options().call_timeout;
  return std::max(absl::ZeroDuration(), due - Clock::Real()->Monotonic());
}

void EventStream::OnEnvelope(const Envelope& envelope,
                             const std::function<void(const Event&)>& sink) {
  if (envelope.topic() != kProbeTopic) {
    const std::optional<Event> event = ParseEvent(envelope.event());
    // Events before Connected can be dropped: after Connected the receiver inspects everything
    // anyway.
    if (event.has_value() && is_connected_) sink(*event);
    return;
  }
  google::protobuf::StringValue value;
  if (!value.ParseFromString(envelope.event().value()) || value.value() != token_) return;
  if (!is_connected_) sink(Connected{});
  is_connected_ = true;
}

bool EventStream::Await() {
  void* tag = nullptr;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

absl::Status EventStream::Finish() {
  grpc::Status status;
  rpc_->Finish(&status, this);
  Await();
  return status.ok() ? absl::UnavailableError("containerd ended the event stream")
                     : ToAbslStatus(status);
}

}  // namespace davit::containerd
