#ifndef DAVIT_AGENT_IMAGE_REGISTRY_CLIENT_H_
#define DAVIT_AGENT_IMAGE_REGISTRY_CLIENT_H_

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/image/credentials.h"
#include "agent/image/image_reference.h"
#include "agent/image/manifest.h"
#include "agent/image/registry_auth.h"
#include "agent/image/retry.h"
#include "base/clock.h"
#include "base/http_client.h"

namespace davit::image {

struct RegistryOptions {
  // "host" (any port) or "host:port": spoken to by plain http, all others by https.
  std::vector<std::string> insecure_registries = {"127.0.0.1", "localhost"};
  RetryPolicy retry;
  absl::Duration manifest_timeout = absl::Minutes(1);  // for one attempt
  absl::Duration stall_timeout =
      absl::Minutes(1);           // a blob slower than 1 KiB/s for that long has broken off
  CredentialsLookup credentials;  // empty: pull anonymously
};

struct FetchedManifest {
  std::string media_type;  // one of manifest.h's four
  std::string digest;      // computed, and as promised by whoever promised one
  std::string body;
};

// Takes bytes of a blob in order. A non-OK status ends the download and is not retried.
using BlobSink = std::function<absl::Status(absl::string_view bytes)>;

// Fetches from OCI registries over HTTP, with logins, redirects and retries. Thread-safe; every
// call blocks on the network, for as long as attempts make sense.
//
// Codes, for all calls: NotFound; Unauthenticated and PermissionDenied, also of a repository that
// is not there (most registries do not tell the difference); Unavailable, DeadlineExceeded,
// ResourceExhausted (429): tried often enough; DataLoss, the content is not what its digest or size
// says; InvalidArgument, the registry's answer makes no sense; Cancelled. Texts say how often it
// was tried, the URL without query, and the registry's own words; never a secret. Source: OCI
// distribution-spec 1.1, Docker Registry HTTP API V2.
class RegistryClient {
 public:
  // `clock` outlives it.
  explicit RegistryClient(RegistryOptions options, const Clock* clock = Clock::Real());

  // The manifest or index that `reference` names (its digest if it has one, else its tag). Tried at
  // most `attempts` times, if that is less than the policy's.
  absl::StatusOr<FetchedManifest> FetchManifest(const ImageReference& reference,
                                                const CancelCheck& is_cancelled,
                                                int attempts = std::numeric_limits<int>::max());

  // Streams `blob` of the repository into `sink` from byte `offset` on. After a broken connection
  // it goes on where that broke. The number of bytes is checked, their digest is not.
  absl::Status FetchBlob(const ImageReference& repository, const Descriptor& blob, int64_t offset,
                         const BlobSink& sink, const CancelCheck& is_cancelled);

  // Whether `host` ("host" or "host:port") is spoken to by plain http.
  bool IsInsecure(absl::string_view host) const;

 private:
  std::string Url(const ImageReference& reference, absl::string_view kind,
                  absl::string_view name) const;
  // One attempt: with the login that is known, and once more after a 401. The answer may be an HTTP
  // error still.
  absl::StatusOr<HttpResponse> FetchAuthorized(const ImageReference& reference,
                                               const HttpRequest& request);

  const RegistryOptions options_;
  const Clock* const clock_;
  RegistryAuth auth_;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_REGISTRY_CLIENT_H_
