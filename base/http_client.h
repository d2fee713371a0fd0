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
  std::string session_token;  // of temporary credentials; else empty
  std::string region;
  std::string service;  // "s3", "secretsmanager"
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<HttpSigV4> sigv4;  // `url` is percent-encoded already
  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration timeout = absl::InfiniteDuration();  // for all of it
  // Fewer than `stall_bytes_per_second` for this long end it: a server that sends a byte now and
  // then must not hold a thread for days.
  absl::Duration stall_timeout = absl::Seconds(60);
  int64_t stall_bytes_per_second = 1024;
  // Redirects are followed; Authorization is not sent to another host.
  int max_redirects = 5;
  // Where the body of a 2xx answer goes, piece by piece, instead of HttpResponse::body. A non-OK
  // status ends the transfer and is returned by Fetch().
  std::function<absl::Status(absl::string_view)> on_body;
  // Called before on_body's first piece: what the 2xx answer says about itself (206 or 200,
  // Content-Range, ...). A non-OK status ends the transfer and is returned by Fetch().
  std::function<absl::Status(int status, const std::map<std::string, std::string>& headers)>
      on_answer;
  // Looked at about once a second; true ends the transfer with Cancelled.
  std::function<bool()> is_cancelled;
  // Largest body that is kept in HttpResponse::body.
  size_t max_body_bytes = 16U << 20;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string>
      headers;  // names in lower case; of the last answer when redirected
  std::string body;
  std::string effective_url;
};

// One HTTP exchange over libcurl. Blocks: use from a pool. Thread-safe; connections are reused per
// calling thread. An HTTP error status is a result, not an error. Unavailable: no connection, or it
// broke. DeadlineExceeded: a timeout. InvalidArgument: the URL. Error texts name method and URL
// without its query (signed URLs are secrets).
absl::StatusOr<HttpResponse> Fetch(const HttpRequest& request);

// The URL without query and user information, for messages.
std::string RedactUrl(absl::string_view url);

}  // namespace davit

#endif  // DAVIT_BASE_HTTP_CLIENT_H_
