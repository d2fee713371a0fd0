#include "agent/containerd/diffs.h"

#include "agent/containerd/connection.h"
#include "base/status.h"
#include "github.com/containerd/containerd/api/services/diff/v1/diff.grpc.pb.h"

namespace davit::containerd {

namespace api = ::containerd::services::diff::v1;

struct Diffs::Stub {
  explicit Stub(const std::shared_ptr<grpc::Channel>& channel) : rpc(channel) {}
  api::Diff::Stub rpc;
};

Diffs::Diffs(Client* client)
    : client_(client), stub_(std::make_unique<Stub>(client->connection().channel)) {}

Diffs::~Diffs() = default;

absl::StatusOr<Descriptor> Diffs::Apply(const Descriptor& layer, const std::vector<Mount>& mounts,
                                        const CallOptions& options) {
  api::ApplyRequest request;
  ToProtoDescriptor(layer, request.mutable_diff());
  ToProtoMounts(mounts, request.mutable_mounts());
  api::ApplyResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Diff::Stub::Apply, request, &response));
  return FromProtoDescriptor(response.applied());
}

}  // namespace davit::containerd
