#ifndef DAVIT_BASE_HTTP_CLIENT_H_
#define DAVIT_BASE_HTTP_CLIENT_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit {

// Signs a request for AWS (Signature Version 4).
struct HttpSigV4 {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // for temporary credentials; else empty
  std::string region;
  std::string service;  // "s3", "secretsmanager"
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<HttpSigV4> sigv4;  // requires a percent-encoded `url`
  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration timeout = absl::InfiniteDuration();  // for all of it
  // Fewer than `stall_bytes_per_second` for this long end it: a server that sends a byte now and
  // then must not hold a thread for days.
  absl::Duration stall_timeout = absl::Seconds(60);
  int64_t stall_bytes_per_second = 1024;
  // Redirects are followed; Authorization is not sent to another host.
  int max_redirects = 5;
  // Receives the body of a 2xx response piece by piece, instead of HttpResponse::body. A non-OK
  // status ends the transfer, and Fetch() returns it.
  std::function<absl::Status(absl::string_view)> on_body;
  // Called once before on_body, with the status and headers of the 2xx response. A non-OK status
  // ends the transfer, and Fetch() returns it.
  std::function<absl::Status(int status, const std::map<std::string, std::string>& headers)>
      on_answer;
  // Called about once a second; true ends the transfer with Cancelled.
  std::function<bool()> is_cancelled;
  // Limit of HttpResponse::body.
  size_t max_body_bytes = 16U << 20;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string>
      headers;  // names in lower case; after redirects those of the last response
  std::string body;
  std::string effective_url;
};

// One HTTP exchange over libcurl. Blocks: call it from a pool. Thread-safe; each calling thread
// reuses its connections. An HTTP error status is a result, not an error. Unavailable: no
// connection, or it broke. DeadlineExceeded: a timeout. InvalidArgument: a bad URL. Error texts
// name the method and the URL without its query, because signed URLs are secrets.
absl::StatusOr<HttpResponse> Fetch(const HttpRequest& request);

// The URL without query and user information, for messages.
std::string RedactUrl(absl::string_view url);

}  // namespace davit

#endif  // DAVIT_BASE_HTTP_CLIENT_H_
