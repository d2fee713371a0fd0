#ifndef DAVIT_AGENT_IMAGE_RETRY_H_
#define DAVIT_AGENT_IMAGE_RETRY_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/backoff.h"

namespace davit::image {

// True: the caller does not want the result any more. Looked at about once a second; empty means
// never.
using CancelCheck = std::function<bool()>;

struct RetryPolicy {
  int attempts = 5;  // in all; ECS tries a pull five times
  absl::Duration first_delay = absl::Seconds(1);
  absl::Duration max_delay = absl::Seconds(10);
  absl::Duration max_retry_after = absl::Minutes(1);  // a registry that asks for more waits in vain
};

// What an HTTP status (not 2xx) of a registry means: NotFound, Unauthenticated, PermissionDenied,
// ResourceExhausted (429), Unavailable (408, 5xx: trying again can help), InvalidArgument for the
// rest.
absl::StatusCode CodeOfHttpStatus(int status);

// The value of a Retry-After header: seconds or an HTTP date. nullopt: neither. Pure. Source: RFC
// 9110 10.2.3.
std::optional<absl::Duration> ParseRetryAfter(absl::string_view value, absl::Time now);

// A failed attempt.
struct Failure {
  absl::Status status;
  std::optional<absl::Duration> retry_after;  // the server's wish
};

// Counts the attempts of one piece of work and waits between them. Not thread-safe.
class Retrier {
 public:
  Retrier(const RetryPolicy& policy, CancelCheck is_cancelled);

  // Decides about a failed attempt. OK: time has passed, try again (blocks until then). Else the
  // work has failed with what is returned: `failure.status` if trying again cannot help or was done
  // enough, or Cancelled.
  absl::Status WaitAfter(const Failure& failure);
  // The work got ahead: what failed until now does not count.
  void Reset();
  // Attempts that failed, in all.
  int failures() const { return total_failures_; }

 private:
  const RetryPolicy policy_;
  const CancelCheck is_cancelled_;
  Backoff backoff_;
  int failures_ = 0;  // since Reset()
  int total_failures_ = 0;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_RETRY_H_
