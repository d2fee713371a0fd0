#ifndef DAVIT_AGENT_CONTAINERD_CONTENT_STORE_H_
#define DAVIT_AGENT_CONTAINERD_CONTENT_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/containerd/client.h"
#include "agent/containerd/types.h"

namespace davit::containerd {

struct ContentInfo {
  std::string digest;
  int64_t size = 0;
  Labels labels;  // "containerd.io/gc.ref.content.0" = digest keeps that blob as long as this one
};

// Writes one blob into the store. OpenWriter() locks `ref` until Commit(), Abort() or destruction.
// Written bytes stay under `ref`, so that a later writer can continue after them. Not thread-safe.
// Each call blocks up to the deadline given to OpenWriter().
class ContentWriter {
 public:
  ~ContentWriter();
  ContentWriter(const ContentWriter&) = delete;
  ContentWriter& operator=(const ContentWriter&) = delete;

  // The number of bytes stored under this ref: where to continue.
  int64_t offset() const;
  // Appends bytes of any length (sent in pieces of 1 MiB). After an error call only Abort() or the
  // destructor.
  absl::Status Write(absl::string_view bytes);
  // Checks size and digest, and makes the blob durable and visible. OK also if another writer was
  // first. FailedPrecondition: size or digest differ from the announced ones; the written bytes
  // stay until Abort().
  absl::Status Commit(const Labels& labels = {});
  // Drops the bytes under this ref. OK if there are none.
  absl::Status Abort();

 private:
  friend class ContentStore;
  struct Stream;
  explicit ContentWriter(std::unique_ptr<Stream> stream);
  std::unique_ptr<Stream> stream_;
};

// containerd's blobs, by digest. Thread-safe; see Client for blocking and codes.
class ContentStore {
 public:
  explicit ContentStore(Client* client);
  ~ContentStore();

  // NotFound: no such blob in this namespace.
  absl::StatusOr<ContentInfo> Info(const std::string& digest, const CallOptions& options = {});
  // The whole blob. ResourceExhausted: it is larger than `max_bytes` (> 0).
  absl::StatusOr<std::string> Read(const std::string& digest, int64_t max_bytes,
                                   const CallOptions& options = {});
  // Opens a writer for a blob of `size` bytes (0: unknown). `ref` names the attempt, such as
  // "layer-sha256:..."; an earlier writer with the same ref may have left bytes: see offset().
  // AlreadyExists: the blob exists, and options.lease protects it from now on. Unavailable: another
  // writer has locked `ref`. options.timeout limits each call on the writer, not its whole life.
  absl::StatusOr<std::unique_ptr<ContentWriter>> OpenWriter(const std::string& ref,
                                                            const std::string& digest, int64_t size,
                                                            const CallOptions& options = {});
  // Drops the bytes that an earlier writer left under `ref`. OK if there are none.
  absl::Status Abort(const std::string& ref, const CallOptions& options = {});
  // Sets these labels and keeps others; an empty value removes a label. NotFound.
  absl::Status UpdateLabels(const std::string& digest, const Labels& labels,
                            const CallOptions& options = {});
  // The blobs of this namespace that match any of `filters` (containerd's filter language); all if
  // empty.
  absl::StatusOr<std::vector<ContentInfo>> List(const std::vector<std::string>& filters = {},
                                                const CallOptions& options = {});
  // NotFound: it does not exist.
  absl::Status Delete(const std::string& digest, const CallOptions& options = {});

 private:
  struct Stub;
  Client* const client_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_CONTENT_STORE_H_
