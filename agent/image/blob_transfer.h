#ifndef DAVIT_AGENT_IMAGE_BLOB_TRANSFER_H_
#define DAVIT_AGENT_IMAGE_BLOB_TRANSFER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/image/manifest.h"
#include "base/http_client.h"

namespace davit::image {

// Moves the bytes of one blob from one or several HTTP responses into a sink. The sink gets each
// byte once and in order, whether or not the server supports Range. Not thread-safe; never blocks
// by itself. Source: RFC 9110 14 (Range requests).
class BlobTransfer {
 public:
  using Sink = std::function<absl::Status(absl::string_view)>;

  // `sink` outlives it.
  BlobTransfer(const Descriptor& blob, int64_t offset, const Sink* sink);

  // Completes `request` so that it fetches the missing bytes into this object, which must outlive
  // the exchange.
  HttpRequest Begin(HttpRequest request);
  // Call after a 2xx response that ended without error. Unavailable: it ended too early.
  absl::Status Finish() const;

  int64_t position() const { return position_; }
  bool IsComplete() const { return position_ == blob_.size; }
  bool HasSinkFailed() const { return !sink_status_.ok(); }
  const absl::Status& sink_status() const { return sink_status_; }

 private:
  absl::Status OnAnswer(int status, const std::map<std::string, std::string>& headers);
  absl::Status OnBytes(absl::string_view bytes);

  const Descriptor blob_;
  const Sink* const sink_;
  int64_t position_;     // bytes that the sink has received
  int64_t to_skip_ = 0;  // bytes of this response that the sink already has
  absl::Status sink_status_;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_BLOB_TRANSFER_H_
