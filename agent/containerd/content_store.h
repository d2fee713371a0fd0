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

// One blob on its way into the store. Open() locks `ref` until Commit(), Abort() or destruction;
// what was written stays under `ref`, so that a later Open() goes on behind it. Not thread-safe.
// Each call blocks for up to the deadline it was opened with.
class ContentWriter {
 public:
  ~ContentWriter();
  ContentWriter(const ContentWriter&) = delete;
  ContentWriter& operator=(const ContentWriter&) = delete;

  // Bytes that are in the store under this ref: where to go on.
  int64_t offset() const;
  // Appends; any length (sent in pieces of 1 MiB). After an error only destruction or Abort() is of
  // use.
  absl::Status Write(absl::string_view bytes);
  // Checks size and digest, makes the blob durable and visible. OK also if another writer was
  // first. FailedPrecondition: size or digest are not those announced; the written bytes stay until
  // Abort().
  absl::Status Commit(const Labels& labels = {});
  // Drops what was written under this ref. OK if nothing was.
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

  // NotFound: there is no such blob (in this namespace).
  absl::StatusOr<ContentInfo> Info(const std::string& digest, const CallOptions& options = {});
  // The whole blob. ResourceExhausted: it is larger than `max_bytes` (> 0).
  absl::StatusOr<std::string> Read(const std::string& digest, int64_t max_bytes,
                                   const CallOptions& options = {});
  // Opens a writer for a blob of `size` bytes (0: unknown). `ref` names the attempt, e.g.
  // "layer-sha256:..."; a writer with the same ref may have been cut short before: see offset().
  // AlreadyExists: the blob is there, and options.lease holds it from now on.
  // Unavailable: another writer has locked `ref`.
  // options.timeout bounds each call on the writer, not its whole life.
  absl::StatusOr<std::unique_ptr<ContentWriter>> OpenWriter(const std::string& ref,
                                                            const std::string& digest, int64_t size,
                                                            const CallOptions& options = {});
  // Drops what an earlier writer left under `ref`. OK if nothing.
  absl::Status Abort(const std::string& ref, const CallOptions& options = {});
  // Sets these labels and leaves others; an empty value removes one. NotFound.
  absl::Status UpdateLabels(const std::string& digest, const Labels& labels,
                            const CallOptions& options = {});
  // Blobs of this namespace. `filters`: containerd's filter language, any of them; empty: all.
  absl::StatusOr<std::vector<ContentInfo>> List(const std::vector<std::string>& filters = {},
                                                const CallOptions& options = {});
  // NotFound: gone.
  absl::Status Delete(const std::string& digest, const CallOptions& options = {});

 private:
  struct Stub;
  Client* const client_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_CONTENT_STORE_H_
