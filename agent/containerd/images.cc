#include "agent/containerd/images.h"

#include "agent/containerd/connection.h"
#include "base/status.h"
#include "github.com/containerd/containerd/api/services/images/v1/images.grpc.pb.h"

namespace davit::containerd {
namespace {

namespace api = ::containerd::services::images::v1;

Image FromProto(const api::Image& image) {
  return {image.name(), FromProtoDescriptor(image.target()), FromProtoMap(image.labels()),
          ToTime(image.created_at()), ToTime(image.updated_at())};
}

void ToProto(const Image& image, api::Image* result) {
  result->set_name(image.name);
  ToProtoDescriptor(image.target, result->mutable_target());
  ToProtoMap(image.labels, result->mutable_labels());
}

}  // namespace

struct Images::Stub {
  explicit Stub(const std::shared_ptr<grpc::Channel>& channel) : rpc(channel) {}
  api::Images::Stub rpc;
};

Images::Images(Client* client)
    : client_(client), stub_(std::make_unique<Stub>(client->connection().channel)) {}

Images::~Images() = default;

absl::StatusOr<Image> Images::Get(const std::string& name, const CallOptions& options) {
  api::GetImageRequest request;
  request.set_name(name);
  api::GetImageResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Images::Stub::Get, request, &response));
  return FromProto(response.image());
}

absl::Status Images::Put(const Image& image, const CallOptions& options) {
  api::CreateImageRequest create;
  ToProto(image, create.mutable_image());
  api::CreateImageResponse created;
  const absl::Status status =
      Call(*client_, options, &stub_->rpc, &api::Images::Stub::Create, create, &created);
  if (status.code() != absl::StatusCode::kAlreadyExists) return status;
  api::UpdateImageRequest update;  // no mask: updates every field
  ToProto(image, update.mutable_image());
  api::UpdateImageResponse updated;
  return Call(*client_, options, &stub_->rpc, &api::Images::Stub::Update, update, &updated);
}

absl::StatusOr<std::vector<Image>> Images::List(const std::vector<std::string>& filters,
                                                const CallOptions& options) {
  api::ListImagesRequest request;
  for (const std::string& filter : filters) request.add_filters(filter);
  api::ListImagesResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Images::Stub::List, request, &response));
  std::vector<Image> images;
  for (const api::Image& image : response.images()) images.push_back(FromProto(image));
  return images;
}

absl::Status Images::Delete(const std::string& name, bool is_synchronous,
                            const CallOptions& options) {
  api::DeleteImageRequest request;
  request.set_name(name);
  request.set_sync(is_synchronous);
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Images::Stub::Delete, request, &response);
}

}  // namespace davit::containerd
