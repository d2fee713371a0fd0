#ifndef DAVIT_AGENT_IMAGE_AUTH_CHALLENGE_H_
#define DAVIT_AGENT_IMAGE_AUTH_CHALLENGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// What a registry says about who may pull. Pure; total on any bytes.
// Source: RFC 9110 11.6.1; the distribution project's "Token Authentication Specification".
namespace davit::image {

struct AuthChallenge {
  enum class Scheme { kBasic, kBearer };
  Scheme scheme = Scheme::kBasic;
  std::string realm;  // kBearer: the URL that gives tokens
  std::string service;
  std::string scope;  // "repository:library/busybox:pull"; may be empty
  friend bool operator==(const AuthChallenge&, const AuthChallenge&) = default;
};

// The strongest challenge of a WWW-Authenticate header that we can answer: Bearer before Basic.
// Unauthenticated: there is none.
absl::StatusOr<AuthChallenge> ParseAuthChallenge(absl::string_view header);

struct AuthToken {
  std::string token;
  absl::Duration lifetime;  // from its issue; a minute where the answer does not say
};

// The answer of a token endpoint. Unauthenticated: there is no token in it.
absl::StatusOr<AuthToken> ParseAuthToken(absl::string_view json);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_AUTH_CHALLENGE_H_
