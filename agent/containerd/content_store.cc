#include "agent/containerd/content_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/containerd/connection.h"
#include "agent/containerd/content_writer_stream.h"
#include "base/status.h"
#include "github.com/containerd/containerd/api/services/content/v1/content.grpc.pb.h"

namespace davit::containerd {
namespace {

namespace api = ::containerd::services::content::v1;

ContentInfo FromProto(const api::Info& info) {
  return {info.digest(), info.size(), FromProtoMap(info.labels())};
}

absl::Status TooLarge(const std::string& digest, int64_t size, int64_t max_bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("blob ", digest, " has ", size, " bytes; the limit is ", max_bytes));
}

}  // namespace

struct ContentStore::Stub {
  explicit Stub(const std::shared_ptr<grpc::Channel>& channel) : rpc(channel) {}
  api::Content::Stub rpc;
};

ContentStore::ContentStore(Client* client)
    : client_(client), stub_(std::make_unique<Stub>(client->connection().channel)) {}

ContentStore::~ContentStore() = default;

absl::StatusOr<ContentInfo> ContentStore::Info(const std::string& digest,
                                               const CallOptions& options) {
  api::InfoRequest request;
  request.set_digest(digest);
  api::InfoResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Content::Stub::Info, request, &response));
  return FromProto(response.info());
}

absl::StatusOr<std::string> ContentStore::Read(const std::string& digest, int64_t max_bytes,
                                               const CallOptions& options) {
  ASSIGN_OR_RETURN(const ContentInfo info, Info(digest, options));
  if (info.size > max_bytes) return TooLarge(digest, info.size, max_bytes);
  api::ReadContentRequest request;
  request.set_digest(digest);
  std::string bytes;
  bytes.reserve(static_cast<size_t>(info.size));
  RETURN_IF_ERROR(CallForStream(
      *client_, options, &stub_->rpc, &api::Content::Stub::Read, request,
      [&bytes](const api::ReadContentResponse& response) { bytes.append(response.data()); }));
  if (static_cast<int64_t>(bytes.size()) != info.size) {
    return absl::DataLossError(absl::StrCat("blob ", digest, ": containerd sent ", bytes.size(),
                                            " bytes instead of ", info.size));
  }
  return bytes;
}

absl::StatusOr<std::unique_ptr<ContentWriter>> ContentStore::OpenWriter(
    const std::string& ref, const std::string& digest, int64_t size, const CallOptions& options) {
  auto stream = std::make_unique<ContentWriter::Stream>(client_, ref, digest, size, options);
  RETURN_IF_ERROR(stream->Open());
  return std::unique_ptr<ContentWriter>(new ContentWriter(std::move(stream)));
}

absl::Status ContentStore::Abort(const std::string& ref, const CallOptions& options) {
  api::AbortRequest request;
  request.set_ref(ref);
  google::protobuf::Empty response;
  return OkIfNotFound(
      Call(*client_, options, &stub_->rpc, &api::Content::Stub::Abort, request, &response));
}

absl::Status ContentStore::UpdateLabels(const std::string& digest, const Labels& labels,
                                        const CallOptions& options) {
  api::UpdateRequest request;
  request.mutable_info()->set_digest(digest);
  for (const auto& [label, value] : labels) {
    (*request.mutable_info()->mutable_labels())[label] = value;
    request.mutable_update_mask()->add_paths(absl::StrCat("labels.", label));
  }
  api::UpdateResponse response;
  return Call(*client_, options, &stub_->rpc, &api::Content::Stub::Update, request, &response);
}

absl::StatusOr<std::vector<ContentInfo>> ContentStore::List(const std::vector<std::string>& filters,
                                                            const CallOptions& options) {
  api::ListContentRequest request;
  for (const std::string& filter : filters) request.add_filters(filter);
  std::vector<ContentInfo> infos;
  RETURN_IF_ERROR(CallForStream(*client_, options, &stub_->rpc, &api::Content::Stub::List, request,
                                [&infos](const api::ListContentResponse& response) {
                                  for (const api::Info& info : response.info()) {
                                    infos.push_back(FromProto(info));
                                  }
                                }));
  return infos;
}

absl::Status ContentStore::Delete(const std::string& digest, const CallOptions& options) {
  api::DeleteContentRequest request;
  request.set_digest(digest);
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Content::Stub::Delete, request, &response);
}

}  // namespace davit::containerd
