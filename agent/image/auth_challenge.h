#ifndef DAVIT_AGENT_IMAGE_AUTH_CHALLENGE_H_
#define DAVIT_AGENT_IMAGE_AUTH_CHALLENGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// How a registry wants clients to authenticate. Pure; accepts any bytes. Source: RFC 9110 11.6.1;
// the distribution project's "Token Authentication Specification".
namespace davit::image {

struct AuthChallenge {
  enum class Scheme { kBasic, kBearer };
  Scheme scheme = Scheme::kBasic;
  std::string realm;  // kBearer: the URL of the token service
  std::string service;
  std::string scope;  // "repository:library/busybox:pull"; may be empty
  friend bool operator==(const AuthChallenge&, const AuthChallenge&) = default;
};

// The strongest supported challenge of a WWW-Authenticate header: Bearer before Basic.
// Unauthenticated: the header has none.
absl::StatusOr<AuthChallenge> ParseAuthChallenge(absl::string_view header);

struct AuthToken {
  std::string token;
  absl::Duration lifetime;  // since its issue; a minute if the response has none
};

// Parses a token service's response. Unauthenticated: it has no token.
absl::StatusOr<AuthToken> ParseAuthToken(absl::string_view json);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_AUTH_CHALLENGE_H_
