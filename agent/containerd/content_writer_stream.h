#ifndef DAVIT_AGENT_CONTAINERD_CONTENT_WRITER_STREAM_H_
#define DAVIT_AGENT_CONTAINERD_CONTENT_WRITER_STREAM_H_

// The gRPC side of ContentWriter, only for this module's sources.

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/containerd/content_store.h"
#include "github.com/containerd/containerd/api/services/content/v1/content.grpc.pb.h"

namespace davit::containerd {

// One Content.Write stream, used as a series of requests and answers. It uses gRPC's asynchronous
// calls, because blocking calls have only one deadline for the whole stream, and a download has
// none. Not thread-safe.
struct ContentWriter::Stream {
 public:
  Stream(Client* client, std::string ref, std::string digest, int64_t size, CallOptions options);
  // Ends the stream if it is still open; containerd keeps the bytes and unlocks the ref.
  ~Stream();

  // Starts the stream, locks the ref and learns the offset.
  absl::Status Open();
  absl::Status Write(absl::string_view bytes);
  absl::Status Commit(const Labels& labels);
  absl::Status Abort();
  int64_t offset() const { return offset_; }

 private:
  using Request = ::containerd::services::content::v1::WriteContentRequest;
  using Response = ::containerd::services::content::v1::WriteContentResponse;

  // Sends one request and waits for its answer.
  absl::StatusOr<Response> Exchange(const Request& request);
  // Waits for the operation in flight. Not OK: the stream has ended (rpc_ is null) for this reason.
  absl::Status Await();
  // Ends the stream and returns its status.
  absl::Status Finish();
  // Ends the stream, unless it has ended, and waits until containerd has unlocked the ref.
  void Close();

  Client* const client_;
  const std::string ref_;
  const std::string digest_;
  const int64_t size_;
  const CallOptions options_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  ::containerd::services::content::v1::Content::Stub stub_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, Response>> rpc_;  // null: not open
  int64_t offset_ = 0;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_CONTENT_WRITER_STREAM_H_
