#include "agent/image/retry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace davit::image {
namespace {

// How often a waiting attempt checks whether it was cancelled.
constexpr absl::Duration kCancelPeriod = absl::Milliseconds(500);

// False: cancelled before `delay` passed.
bool WaitUnlessCancelled(absl::Duration delay, const CancelCheck& is_cancelled) {
  Mutex mu;
  CondVar never;
  const Clock* const clock = Clock::Real();
  const absl::Duration end = clock->Monotonic() + delay;
  MutexLock lock(&mu);
  for (absl::Duration left = delay; left > absl::ZeroDuration(); left = end - clock->Monotonic()) {
    if (is_cancelled && is_cancelled()) return false;
    never.WaitFor(&mu, std::min(left, kCancelPeriod));
  }
  return !(is_cancelled && is_cancelled());
}

}  // namespace

absl::StatusCode CodeOfHttpStatus(int status) {
  switch (status) {
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 408:
      return absl::StatusCode::kUnavailable;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    default:
      break;
  }
  return status >= 500 ? absl::StatusCode::kUnavailable : absl::StatusCode::kInvalidArgument;
}

std::optional<absl::Duration> ParseRetryAfter(absl::string_view value, absl::Time now) {
  value = absl::StripAsciiWhitespace(value);
  int64_t seconds = 0;
  if (absl::SimpleAtoi(value, &seconds)) {
    if (seconds < 0) return std::nullopt;
    return absl::Seconds(seconds);
  }
  absl::Time when;
  if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", value, absl::UTCTimeZone(), &when, nullptr)) {
    return std::nullopt;
  }
  return std::max(absl::ZeroDuration(), when - now);
}

Retrier::Retrier(const RetryPolicy& policy, CancelCheck is_cancelled)
    : policy_(policy),
      is_cancelled_(std::move(is_cancelled)),
      backoff_(policy.first_delay, policy.max_delay) {}

absl::Status Retrier::WaitAfter(const Failure& failure) {
  ++failures_;
  ++total_failures_;
  if (!IsRetryable(failure.status) || failures_ >= policy_.attempts) return failure.status;
  absl::Duration delay = backoff_.Next();
  if (failure.retry_after.has_value()) {
    if (*failure.retry_after > policy_.max_retry_after) return failure.status;
    delay = std::max(delay, *failure.retry_after);
  }
  if (!WaitUnlessCancelled(delay, is_cancelled_)) return absl::CancelledError("cancelled");
  return absl::OkStatus();
}

void Retrier::Reset() {
  failures_ = 0;
  backoff_.Reset();
}

}  // namespace davit::image
