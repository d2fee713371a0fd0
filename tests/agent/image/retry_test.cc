#include "agent/image/retry.h"

#include <catch2/catch.hpp>

#include "agent/image/pull_error.h"
#include "agent/image/registry_error.h"

namespace davit::image {
namespace {

constexpr RetryPolicy kFast{.attempts = 3,
                            .first_delay = absl::ZeroDuration(),
                            .max_delay = absl::ZeroDuration(),
                            .max_retry_after = absl::Seconds(5)};

Failure Unavailable() { return {absl::UnavailableError("no"), std::nullopt}; }

TEST_CASE("a retryable failure is retried as often as the policy allows", "[retry]") {
  Retrier retrier(kFast, nullptr);
  CHECK(retrier.WaitAfter(Unavailable()).ok());
  CHECK(retrier.WaitAfter(Unavailable()).ok());
  CHECK(retrier.WaitAfter(Unavailable()) == absl::UnavailableError("no"));
  CHECK(retrier.failures() == 3);
}

TEST_CASE("a permanent failure is not retried", "[retry]") {
  for (const absl::Status& status :
       {absl::NotFoundError("x"), absl::UnauthenticatedError("x"), absl::InvalidArgumentError("x"),
        absl::DataLossError("x"), absl::CancelledError("x")}) {
    Retrier retrier(kFast, nullptr);
    CHECK(retrier.WaitAfter({status, std::nullopt}) == status);
  }
}

TEST_CASE("progress restarts the count of attempts", "[retry]") {
  Retrier retrier(kFast, nullptr);
  CHECK(retrier.WaitAfter(Unavailable()).ok());
  CHECK(retrier.WaitAfter(Unavailable()).ok());
  retrier.Reset();
  CHECK(retrier.WaitAfter(Unavailable()).ok());
  CHECK(retrier.failures() == 3);
}

TEST_CASE("the wait for the next attempt ends when the caller gives up", "[retry]") {
  Retrier retrier(RetryPolicy{.first_delay = absl::Hours(1), .max_delay = absl::Hours(1)},
                  [] { return true; });
  CHECK(retrier.WaitAfter(Unavailable()).code() == absl::StatusCode::kCancelled);
}

TEST_CASE("a registry with a longer Retry-After than allowed is given up", "[retry]") {
  Retrier retrier(kFast, nullptr);
  CHECK(retrier.WaitAfter({absl::ResourceExhaustedError("429"), absl::Hours(1)}).code() ==
        absl::StatusCode::kResourceExhausted);
}

TEST_CASE("Retry-After is read as seconds and as a date", "[retry]") {
  absl::Time now;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, "2026-03-01T10:00:00Z", &now, nullptr));
  CHECK(ParseRetryAfter(" 30 ", now) == absl::Seconds(30));
  CHECK(ParseRetryAfter("Sun, 01 Mar 2026 10:00:10 GMT", now) == absl::Seconds(10));
  CHECK(ParseRetryAfter("Sun, 01 Mar 2026 09:00:00 GMT", now) == absl::ZeroDuration());
  CHECK_FALSE(ParseRetryAfter("-1", now).has_value());
  CHECK_FALSE(ParseRetryAfter("soon", now).has_value());
  CHECK_FALSE(ParseRetryAfter("", now).has_value());
}

TEST_CASE("HTTP statuses map to codes that decide about retries", "[retry]") {
  using absl::StatusCode;
  CHECK(CodeOfHttpStatus(400) == StatusCode::kInvalidArgument);
  CHECK(CodeOfHttpStatus(401) == StatusCode::kUnauthenticated);
  CHECK(CodeOfHttpStatus(403) == StatusCode::kPermissionDenied);
  CHECK(CodeOfHttpStatus(404) == StatusCode::kNotFound);
  CHECK(CodeOfHttpStatus(429) == StatusCode::kResourceExhausted);
  CHECK(CodeOfHttpStatus(500) == StatusCode::kUnavailable);
  CHECK(CodeOfHttpStatus(503) == StatusCode::kUnavailable);
}

TEST_CASE("a registry's error text is kept, and nothing else of its response", "[retry]") {
  CHECK(RegistryErrorText(R"({"errors": [{"code": "MANIFEST_UNKNOWN",
        "message": "manifest unknown", "detail": {"Tag": "x"}}]})") ==
        "manifest unknown (MANIFEST_UNKNOWN)");
  CHECK(RegistryErrorText(R"({"errors": [{"code": "DENIED"}]})") == "DENIED");
  CHECK(RegistryErrorText(R"({"errors": [{"message": "a\nb"}]})") == "a\\nb");
  for (const char* body : {"", "<html>secret</html>", "{}", R"({"errors": []})",
                           R"({"errors": ["x"]})", R"({"errors": {}})"}) {
    CHECK(RegistryErrorText(body).empty());
  }
}

TEST_CASE("an error response is reported with method, URL without query, status and reason",
          "[retry]") {
  HttpRequest request;
  request.url = "http://127.0.0.1:5000/v2/web/manifests/nope?token=secret";
  HttpResponse response;
  response.status = 404;
  response.body = R"({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]})";
  response.headers["retry-after"] = "7";
  const Failure failure = FailureOf(request, response, absl::UnixEpoch());
  CHECK(failure.status ==
        absl::NotFoundError("GET http://127.0.0.1:5000/v2/web/manifests/nope: 404 manifest unknown "
                            "(MANIFEST_UNKNOWN)"));
  CHECK(failure.retry_after == absl::Seconds(7));
}

TEST_CASE("a container's reason is in ECS's words and at most 1024 bytes", "[retry]") {
  CHECK(PullError(absl::OkStatus()).ok());
  CHECK(PullError(absl::NotFoundError("no\nsuch")) ==
        absl::NotFoundError("CannotPullContainerError: no such"));
  CHECK(PullError(absl::NotFoundError(std::string(5000, 'x'))).message().size() <= 1024);
}

}  // namespace
}  // namespace davit::image
