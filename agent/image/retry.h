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

// True: the caller no longer needs the result. Called about once a second; an empty function never
// cancels.
using CancelCheck = std::function<bool()>;

struct RetryPolicy {
  int attempts = 5;  // in total; ECS tries a pull five times
  absl::Duration first_delay = absl::Seconds(1);
  absl::Duration max_delay = absl::Seconds(10);
  absl::Duration max_retry_after =
      absl::Minutes(1);  // a longer Retry-After of a registry ends the attempts
};

// The status code for an HTTP status (not 2xx) of a registry: NotFound, Unauthenticated,
// PermissionDenied, ResourceExhausted (429), Unavailable (408, 5xx: retry), InvalidArgument for the
// rest.
absl::StatusCode CodeOfHttpStatus(int status);

// Parses a Retry-After header: seconds or an HTTP date. nullopt: neither. Pure. Source: RFC 9110
// 10.2.3.
std::optional<absl::Duration> ParseRetryAfter(absl::string_view value, absl::Time now);

// A failed attempt.
struct Failure {
  absl::Status status;
  std::optional<absl::Duration> retry_after;  // from the Retry-After header
};

// Counts the attempts of one operation and waits between them. Not thread-safe.
class Retrier {
 public:
  Retrier(const RetryPolicy& policy, CancelCheck is_cancelled);

  // Decides whether to retry after a failed attempt. OK: retry now; blocks until the time has come.
  // Otherwise the operation has failed: returns `failure.status` if a retry cannot help or all
  // attempts are used up, or Cancelled.
  absl::Status WaitAfter(const Failure& failure);
  // Call after progress: earlier failures no longer count.
  void Reset();
  // The total number of failed attempts.
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
