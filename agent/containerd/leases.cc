#include "agent/containerd/leases.h"

#include "agent/containerd/connection.h"
#include "base/status.h"
#include "github.com/containerd/containerd/api/services/leases/v1/leases.grpc.pb.h"

namespace davit::containerd {

namespace api = ::containerd::services::leases::v1;

struct Leases::Stub {
  explicit Stub(const std::shared_ptr<grpc::Channel>& channel) : rpc(channel) {}
  api::Leases::Stub rpc;
};

Leases::Leases(Client* client)
    : client_(client), stub_(std::make_unique<Stub>(client->connection().channel)) {}

Leases::~Leases() = default;

absl::Status Leases::Create(const std::string& lease, const Labels& labels,
                            const CallOptions& options) {
  api::CreateRequest request;
  request.set_id(lease);
  ToProtoMap(labels, request.mutable_labels());
  api::CreateResponse response;
  return Call(*client_, options, &stub_->rpc, &api::Leases::Stub::Create, request, &response);
}

absl::Status Leases::Delete(const std::string& lease, bool is_synchronous,
                            const CallOptions& options) {
  api::DeleteRequest request;
  request.set_id(lease);
  request.set_sync(is_synchronous);
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Leases::Stub::Delete, request, &response);
}

absl::StatusOr<std::vector<Lease>> Leases::List(const std::vector<std::string>& filters,
                                                const CallOptions& options) {
  api::ListRequest request;
  for (const std::string& filter : filters) request.add_filters(filter);
  api::ListResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Leases::Stub::List, request, &response));
  std::vector<Lease> leases;
  for (const api::Lease& lease : response.leases()) {
    leases.push_back({lease.id(), FromProtoMap(lease.labels())});
  }
  return leases;
}

absl::Status Leases::AddResource(const std::string& lease, const LeaseResource& resource,
                                 const CallOptions& options) {
  api::AddResourceRequest request;
  request.set_id(lease);
  request.mutable_resource()->set_type(resource.type);
  request.mutable_resource()->set_id(resource.id);
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Leases::Stub::AddResource, request, &response);
}

absl::Status Leases::DeleteResource(const std::string& lease, const LeaseResource& resource,
                                    const CallOptions& options) {
  api::DeleteResourceRequest request;
  request.set_id(lease);
  request.mutable_resource()->set_type(resource.type);
  request.mutable_resource()->set_id(resource.id);
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Leases::Stub::DeleteResource, request,
              &response);
}

absl::StatusOr<std::vector<LeaseResource>> Leases::ListResources(const std::string& lease,
                                                                 const CallOptions& options) {
  api::ListResourcesRequest request;
  request.set_id(lease);
  api::ListResourcesResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Leases::Stub::ListResources, request, &response));
  std::vector<LeaseResource> resources;
  for (const api::Resource& resource : response.resources()) {
    resources.push_back({resource.type(), resource.id()});
  }
  return resources;
}

}  // namespace davit::containerd
