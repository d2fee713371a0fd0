#include "agent/containerd/containers.h"

#include "agent/containerd/connection.h"
#include "base/status.h"
#include "github.com/containerd/containerd/api/services/containers/v1/containers.grpc.pb.h"

namespace davit::containerd {
namespace {

namespace api = ::containerd::services::containers::v1;

// The name of containerd's Go type inside an Any. Source: containerd typeurl, runtime-spec 1.x.
constexpr char kSpecTypeUrl[] = "types.containerd.io/opencontainers/runtime-spec/1/Spec";

Container FromProto(const api::Container& container) {
  return {.id = container.id(),
          .labels = FromProtoMap(container.labels()),
          .image = container.image(),
          .runtime = container.runtime().name(),
          .oci_spec_json = container.spec().value(),
          .snapshotter = container.snapshotter(),
          .snapshot_key = container.snapshot_key()};
}

void ToProto(const Container& container, api::Container* result) {
  result->set_id(container.id);
  ToProtoMap(container.labels, result->mutable_labels());
  result->set_image(container.image);
  result->mutable_runtime()->set_name(container.runtime);
  result->mutable_spec()->set_type_url(kSpecTypeUrl);
  result->mutable_spec()->set_value(container.oci_spec_json);
  result->set_snapshotter(container.snapshotter);
  result->set_snapshot_key(container.snapshot_key);
}

}  // namespace

struct Containers::Stub {
  explicit Stub(const std::shared_ptr<grpc::Channel>& channel) : rpc(channel) {}
  api::Containers::Stub rpc;
};

Containers::Containers(Client* client)
    : client_(client), stub_(std::make_unique<Stub>(client->connection().channel)) {}

Containers::~Containers() = default;

absl::Status Containers::Create(const Container& container, const CallOptions& options) {
  api::CreateContainerRequest request;
  ToProto(container, request.mutable_container());
  api::CreateContainerResponse response;
  return Call(*client_, options, &stub_->rpc, &api::Containers::Stub::Create, request, &response);
}

absl::Status Containers::Update(const Container& container, const CallOptions& options) {
  api::UpdateContainerRequest request;
  ToProto(container, request.mutable_container());
  for (const char* path : {"labels", "image", "spec"})
    request.mutable_update_mask()->add_paths(path);
  api::UpdateContainerResponse response;
  return Call(*client_, options, &stub_->rpc, &api::Containers::Stub::Update, request, &response);
}

absl::StatusOr<Container> Containers::Get(const std::string& id, const CallOptions& options) {
  api::GetContainerRequest request;
  request.set_id(id);
  api::GetContainerResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Containers::Stub::Get, request, &response));
  return FromProto(response.container());
}

absl::StatusOr<std::vector<Container>> Containers::List(const std::vector<std::string>& filters,
                                                        const CallOptions& options) {
  api::ListContainersRequest request;
  for (const std::string& filter : filters) request.add_filters(filter);
  std::vector<Container> containers;
  // Uses a stream: a list of thousands, each with its spec, would exceed the limit of one message.
  const absl::Status status =
      CallForStream(*client_, options, &stub_->rpc, &api::Containers::Stub::ListStream, request,
                    [&containers](const api::ListContainerMessage& message) {
                      containers.push_back(FromProto(message.container()));
                    });
  if (!status.ok()) return status;
  return containers;
}

absl::Status Containers::Delete(const std::string& id, const CallOptions& options) {
  api::DeleteContainerRequest request;
  request.set_id(id);
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Containers::Stub::Delete, request, &response);
}

}  // namespace davit::containerd
