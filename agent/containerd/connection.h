#ifndef DAVIT_AGENT_CONTAINERD_CONNECTION_H_
#define DAVIT_AGENT_CONTAINERD_CONNECTION_H_

// The gRPC side of Client, only for this module's sources.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/containerd/client.h"
#include "agent/containerd/types.h"
#include "google/protobuf/repeated_field.h"
#include "google/protobuf/timestamp.pb.h"

namespace davit::containerd {

struct Client::Connection {
  std::shared_ptr<grpc::Channel> channel;
};

// gRPC's codes and Abseil's have the same numbers and meanings.
absl::Status ToAbslStatus(const grpc::Status& status);

// A deadline by gRPC's monotonic clock, so that a jump of the wall clock ends no call.
gpr_timespec MonotonicDeadline(absl::Duration from_now);

// The timeout of a call with `options`.
absl::Duration TimeoutOf(const Client& client, const CallOptions& options);

// Sets namespace and lease in the call's metadata, where containerd expects them.
void SetMetadata(const Client& client, const CallOptions& options, grpc::ClientContext* context);

// Makes one unary call: Call(client, options, stub, &Stub::Get, request, &response).
template <typename Stub, typename Request, typename Response>
absl::Status Call(const Client& client, const CallOptions& options, Stub* stub,
                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response) {
  grpc::ClientContext context;
  SetMetadata(client, options, &context);
  context.set_deadline(MonotonicDeadline(TimeoutOf(client, options)));
  return ToAbslStatus((stub->*method)(&context, request, response));
}

// Makes one call that returns a stream; calls `on_message` with each message. The deadline covers
// the whole stream.
template <typename Stub, typename Request, typename Message, typename OnMessage>
absl::Status CallForStream(const Client& client, const CallOptions& options, Stub* stub,
                           std::unique_ptr<grpc::ClientReader<Message>> (Stub::*method)(
                               grpc::ClientContext*, const Request&),
                           const Request& request, OnMessage on_message) {
  grpc::ClientContext context;
  SetMetadata(client, options, &context);
  context.set_deadline(MonotonicDeadline(TimeoutOf(client, options)));
  const auto reader = (stub->*method)(&context, request);
  Message message;
  while (reader->Read(&message)) on_message(message);
  return ToAbslStatus(reader->Finish());
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp);

// Converts protobuf's map<string, string> to ours.
template <typename ProtoMap>
Labels FromProtoMap(const ProtoMap& map) {
  return Labels(map.begin(), map.end());
}
template <typename ProtoMap>
void ToProtoMap(const Labels& labels, ProtoMap* map) {
  for (const auto& [key, value] : labels) (*map)[key] = value;
}

// Conversions between containerd.types.Mount, containerd.types.Descriptor and our types.
template <typename ProtoMount>
std::vector<Mount> FromProtoMounts(const google::protobuf::RepeatedPtrField<ProtoMount>& mounts) {
  std::vector<Mount> result;
  for (const ProtoMount& mount : mounts) {
    result.push_back({mount.type(),
                      mount.source(),
                      mount.target(),
                      {mount.options().begin(), mount.options().end()}});
  }
  return result;
}
template <typename ProtoMount>
void ToProtoMounts(const std::vector<Mount>& mounts,
                   google::protobuf::RepeatedPtrField<ProtoMount>* result) {
  for (const Mount& mount : mounts) {
    ProtoMount* added = result->Add();
    added->set_type(mount.type);
    added->set_source(mount.source);
    added->set_target(mount.target);
    for (const std::string& option : mount.options) added->add_options(option);
  }
}
template <typename ProtoDescriptor>
Descriptor FromProtoDescriptor(const ProtoDescriptor& descriptor) {
  return {descriptor.media_type(), descriptor.digest(), descriptor.size(),
          FromProtoMap(descriptor.annotations())};
}
template <typename ProtoDescriptor>
void ToProtoDescriptor(const Descriptor& descriptor, ProtoDescriptor* result) {
  result->set_media_type(descriptor.media_type);
  result->set_digest(descriptor.digest);
  result->set_size(descriptor.size);
  ToProtoMap(descriptor.annotations, result->mutable_annotations());
}

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_CONNECTION_H_
