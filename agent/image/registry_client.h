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
  // "host" (any port) or "host:port": contacted over plain HTTP, all others over HTTPS.
  std::vector<std::string> insecure_registries = {"127.0.0.1", "localhost"};
  RetryPolicy retry;
  absl::Duration manifest_timeout = absl::Minutes(1);  // per attempt
  absl::Duration stall_timeout =
      absl::Minutes(1);           // a blob slower than 1 KiB/s for that long has broken off
  CredentialsLookup credentials;  // empty: pull anonymously
};

struct FetchedManifest {
  std::string media_type;  // one of manifest.h's four
  std::string digest;      // computed; equals the requested or announced one
  std::string body;
};

// Takes bytes of a blob in order. A non-OK status ends the download and is not retried.
using BlobSink = std::function<absl::Status(absl::string_view bytes)>;

// Fetches from OCI registries over HTTP, with logins, redirects and retries. Thread-safe; every
// call blocks on the network until it succeeds or gives up. Codes of all calls. NotFound.
// Unauthenticated, PermissionDenied: also for a repository that does not exist, because most
// registries do not distinguish. Unavailable, DeadlineExceeded, ResourceExhausted (429): after
// retries. DataLoss: the content does not match its digest or size. InvalidArgument: the registry's
// response is invalid. Cancelled. Texts have the number of attempts, the URL without query, and the
// registry's error text; never a secret. Source: OCI distribution-spec 1.1, Docker Registry HTTP
// API V2.
class RegistryClient {
 public:
  // `clock` outlives it.
  explicit RegistryClient(RegistryOptions options, const Clock* clock = Clock::Real());

  // Fetches the manifest or index that `reference` names, by digest if it has one, else by tag.
  // Makes at most `attempts` attempts, or the policy's number if that is lower.
  absl::StatusOr<FetchedManifest> FetchManifest(const ImageReference& reference,
                                                const CancelCheck& is_cancelled,
                                                int attempts = std::numeric_limits<int>::max());

  // Streams `blob` into `sink`, starting at byte `offset`. Resumes after a broken connection.
  // Verifies the number of bytes, but not their digest.
  absl::Status FetchBlob(const ImageReference& repository, const Descriptor& blob, int64_t offset,
                         const BlobSink& sink, const CancelCheck& is_cancelled);

  // Whether `host` ("host" or "host:port") is contacted over plain HTTP.
  bool IsInsecure(absl::string_view host) const;

 private:
  std::string Url(const ImageReference& reference, absl::string_view kind,
                  absl::string_view name) const;
  // One attempt with the known login, and one more after a 401. The response may be an HTTP error.
  absl::StatusOr<HttpResponse> FetchAuthorized(const ImageReference& reference,
                                               const HttpRequest& request);

  const RegistryOptions options_;
  const Clock* const clock_;
  RegistryAuth auth_;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_REGISTRY_CLIENT_H_
