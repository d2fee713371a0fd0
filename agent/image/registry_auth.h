#ifndef DAVIT_AGENT_IMAGE_REGISTRY_AUTH_H_
#define DAVIT_AGENT_IMAGE_REGISTRY_AUTH_H_

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "agent/image/auth_challenge.h"
#include "agent/image/credentials.h"
#include "agent/image/retry.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace davit::image {

// Logs in to registries. Keeps their challenges, and tokens until they expire. Thread-safe.
// Authenticate() blocks on the network.
class RegistryAuth {
 public:
  struct Repository {
    std::string host;  // as in the reference: "docker.io"
    std::string name;
    bool insecure = false;  // plain HTTP is allowed
  };

  // `clock` outlives it; `credentials` may be empty.
  RegistryAuth(CredentialsLookup credentials, const Clock* clock);

  // The Authorization header for a request. Empty: none is known to be needed.
  std::string HeaderFor(const Repository& repository);

  // Handles a 401. Afterwards HeaderFor() returns another header than `rejected`, the one that was
  // sent. Unauthenticated: no credentials, or the registry refused them. Unavailable,
  // ResourceExhausted: the token service cannot answer now. Source: the distribution project's
  // "Token Authentication Specification".
  absl::Status Authenticate(const Repository& repository, absl::string_view www_authenticate,
                            absl::string_view rejected, const CancelCheck& is_cancelled);

 private:
  struct CachedToken {
    std::string token;
    absl::Duration expires_at;  // monotonic
  };
  absl::StatusOr<AuthToken> FetchToken(const AuthChallenge& challenge, const Repository& repository,
                                       const CancelCheck& is_cancelled);

  const CredentialsLookup credentials_;
  const Clock* const clock_;
  Mutex mu_;
  // By "host/repository", and by "realm service scope" with the host whose credentials were used.
  absl::flat_hash_map<std::string, AuthChallenge> challenges_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, CachedToken> tokens_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_REGISTRY_AUTH_H_
