#include "agent/image/auth_challenge.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

int FuzzAuthChallenge(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto challenge = image::ParseAuthChallenge(text);
  // Whom it sends us to is asked with our credentials.
  Must(!challenge.ok() || challenge->scheme == image::AuthChallenge::Scheme::kBasic ||
       !challenge->realm.empty());
  const auto token = image::ParseAuthToken(text);
  Must(!token.ok() || (!token->token.empty() && token->lifetime >= absl::ZeroDuration()));
  return 0;
}

}  // namespace davit::fuzz
