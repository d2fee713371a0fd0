#include "agent/supervisor/outcome.h"

#include "absl/strings/match.h"
#include "base/status.h"

namespace davit::supervisor {

task::Outcome ToOutcome(const absl::Status& status, absl::string_view error_name) {
  if (status.ok()) return {};
  // An ECS error name is one word that ends in "Error".
  const absl::string_view first = status.message().substr(0, status.message().find(':'));
  const bool is_named = absl::EndsWith(first, "Error") && !absl::StrContains(first, ' ');
  const std::string reason =
      is_named ? std::string(status.message()) : absl::StrCat(error_name, ": ", status.message());
  return {IsRetryable(status) ? task::Outcome::Kind::kRetry : task::Outcome::Kind::kFailed, reason};
}

}  // namespace davit::supervisor
