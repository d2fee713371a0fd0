#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/containerd/connection.h"
#include "agent/containerd/content_store.h"
#include "agent/containerd/content_writer_stream.h"
#include "agent/containerd/leases.h"
#include "base/status.h"

namespace davit::containerd {
namespace {

namespace api = ::containerd::services::content::v1;

// Well below containerd's limit of 16 MiB for one message.
constexpr size_t kPieceBytes = 1U << 20;

}  // namespace

ContentWriter::ContentWriter(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
ContentWriter::~ContentWriter() = default;
int64_t ContentWriter::offset() const { return stream_->offset(); }
absl::Status ContentWriter::Write(absl::string_view bytes) { return stream_->Write(bytes); }
absl::Status ContentWriter::Commit(const Labels& labels) { return stream_->Commit(labels); }
absl::Status ContentWriter::Abort() { return stream_->Abort(); }

ContentWriter::Stream::Stream(Client* client, std::string ref, std::string digest, int64_t size,
                              CallOptions options)
    : client_(client),
      ref_(std::move(ref)),
      digest_(std::move(digest)),
      size_(size),
      options_(std::move(options)),
      stub_(client->connection().channel) {
  SetMetadata(*client, options_, &context_);
}

ContentWriter::Stream::~Stream() {
  Close();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

absl::Status ContentWriter::Stream::Open() {
  rpc_ = stub_.PrepareAsyncWrite(&context_, &queue_);
  rpc_->StartCall(this);
  RETURN_IF_ERROR(Await(), "opening a writer for ", ref_);
  Request request;
  request.set_action(api::STAT);
  request.set_ref(ref_);
  request.set_expected(digest_);
  request.set_total(size_);
  ASSIGN_OR_RETURN(const Response response, Exchange(request), "opening a writer for ", ref_);
  offset_ = response.offset();
  return absl::OkStatus();
}

absl::Status ContentWriter::Stream::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, kPieceBytes);
    Request request;
    request.set_action(api::WRITE);
    request.set_offset(offset_);
    request.set_data(piece.data(), piece.size());
    ASSIGN_OR_RETURN(const Response response, Exchange(request), "writing ", ref_, " at ", offset_);
    offset_ += static_cast<int64_t>(piece.size());
    if (response.offset() != offset_) {
      return absl::DataLossError(absl::StrCat("writing ", ref_, ": containerd is at byte ",
                                              response.offset(), " instead of ", offset_));
    }
    bytes.remove_prefix(piece.size());
  }
  return absl::OkStatus();
}

absl::Status ContentWriter::Stream::Commit(const Labels& labels) {
  Request request;
  request.set_action(api::COMMIT);
  // Offset 0 with bytes written would truncate them (containerd, contentserver.go).
  request.set_offset(offset_);
  request.set_total(size_);
  request.set_expected(digest_);
  ToProtoMap(labels, request.mutable_labels());
  const absl::Status status = Exchange(request).status();
  Close();
  if (status.code() == absl::StatusCode::kAlreadyExists) {
    // Another writer was first. In that case containerd has not added the blob to our lease.
    if (options_.lease.empty() || digest_.empty()) return absl::OkStatus();
    Leases leases(client_);
    return Annotate(leases.AddResource(options_.lease, {"content", digest_}, options_),
                    absl::StrCat("leasing ", digest_));
  }
  return Annotate(status, absl::StrCat("committing ", ref_));
}

absl::Status ContentWriter::Stream::Abort() {
  Close();
  ContentStore store(client_);
  return store.Abort(ref_, options_);
}

absl::StatusOr<ContentWriter::Stream::Response> ContentWriter::Stream::Exchange(
    const Request& request) {
  if (rpc_ == nullptr) return absl::FailedPreconditionError("the writer is closed");
  rpc_->Write(request, this);
  RETURN_IF_ERROR(Await());
  Response response;
  rpc_->Read(&response, this);
  RETURN_IF_ERROR(Await());
  return response;
}

absl::Status ContentWriter::Stream::Await() {
  void* tag = nullptr;
  bool ok = false;
  const auto next = queue_.AsyncNext(&tag, &ok, MonotonicDeadline(TimeoutOf(*client_, options_)));
  if (next == grpc::CompletionQueue::TIMEOUT) {
    context_.TryCancel();
    queue_.Next(&tag, &ok);  // the cancelled operation
    Finish().IgnoreError();  // Cancelled by us
    return absl::DeadlineExceededError("containerd did not answer in time");
  }
  if (ok) return absl::OkStatus();
  const absl::Status status = Finish();
  // The server ended the stream with OK instead of an answer.
  return status.ok() ? absl::DataLossError("containerd ended the stream") : status;
}

absl::Status ContentWriter::Stream::Finish() {
  grpc::Status status;
  rpc_->Finish(&status, this);
  void* tag = nullptr;
  bool ok = false;
  queue_.Next(&tag, &ok);
  rpc_.reset();
  return ToAbslStatus(status);
}

void ContentWriter::Stream::Close() {
  if (rpc_ == nullptr) return;
  // Do not cancel: containerd would then unlock the ref only some time after our call has ended.
  rpc_->WritesDone(this);
  absl::Status status = Await();
  Response response;
  while (rpc_ != nullptr) {
    rpc_->Read(&response, this);
    status = Await();  // the last status is not OK and has ended the stream
  }
  status.IgnoreError();
}

}  // namespace davit::containerd
