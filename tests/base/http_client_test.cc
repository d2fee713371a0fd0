#include "base/http_client.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <tuple>

#include "base/http_server.h"

namespace davit {
namespace {

// Answers by path; remembers the last request.
class Site {
 public:
  Site() {
    auto server =
        HttpServer::Start({}, [this](const HttpServerRequest& request) { return Answer(request); });
    REQUIRE(server.ok());
    server_ = *std::move(server);
  }
  std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  HttpRequest Get(const std::string& path) const {
    HttpRequest request;
    request.url = Url(path);
    return request;
  }
  std::string redirect_to;
  HttpServerRequest last;

 private:
  HttpServerResponse Answer(const HttpServerRequest& request) {
    last = request;
    if (request.path == "/redirect")
      return {302, "text/plain", "moved", {{"Location", redirect_to}}};
    if (request.path == "/loop") return {302, "text/plain", "moved", {{"Location", "/loop"}}};
    if (request.path == "/large") return {200, "text/plain", std::string(100000, 'x'), {}};
    if (request.path == "/missing") return {404, "text/plain", "no such thing", {}};
    return {200, "text/plain", "hello", {{"X-One", "1"}}};
  }
  std::unique_ptr<HttpServer> server_;
};

// A server that accepts connections and sends nothing.
class SilentSite {
 public:
  SilentSite() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(listen(fd_, 8) == 0);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  }
  ~SilentSite() { close(fd_); }
  SilentSite(const SilentSite&) = delete;
  SilentSite& operator=(const SilentSite&) = delete;
  const std::string& url() const { return url_; }

 private:
  const int fd_;
  std::string url_;
};

TEST_CASE("a response has a status, lower-case headers and a body", "[http_client]") {
  const Site site;
  const auto response = Fetch(site.Get("/"));
  REQUIRE(response.ok());
  CHECK(response->status == 200);
  CHECK(response->body == "hello");
  CHECK(response->headers.at("x-one") == "1");
}

TEST_CASE("an HTTP error is a result", "[http_client]") {
  const Site site;
  const auto response = Fetch(site.Get("/missing"));
  REQUIRE(response.ok());
  CHECK(response->status == 404);
  CHECK(response->body == "no such thing");
}

TEST_CASE("method, headers and body reach the server", "[http_client]") {
  const Site site;
  HttpRequest request = site.Get("/x");
  request.method = "PUT";
  request.headers = {{"X-Token", "t"}};
  request.body = "content";
  REQUIRE(Fetch(request).ok());
  CHECK(site.last.method == "PUT");
  CHECK(site.last.headers.at("x-token") == "t");
  CHECK(site.last.body == "content");
}

TEST_CASE("a redirect is followed, and its own body is not mixed in", "[http_client]") {
  Site site;
  site.redirect_to = "/there";
  const auto response = Fetch(site.Get("/redirect"));
  REQUIRE(response.ok());
  CHECK(response->status == 200);
  CHECK(response->body == "hello");
  CHECK(response->effective_url == site.Url("/there"));
  CHECK(response->headers.count("location") == 0);
}

TEST_CASE("credentials are not sent to another host", "[http_client]") {
  Site here;
  const Site elsewhere;
  HttpRequest request = here.Get("/redirect");
  request.headers = {{"Authorization", "Bearer secret"}};
  here.redirect_to = elsewhere.Url("/");
  REQUIRE(Fetch(request).ok());
  CHECK(here.last.headers.at("authorization") == "Bearer secret");
  CHECK(elsewhere.last.path == "/");
  CHECK(elsewhere.last.headers.count("authorization") == 0);
}

TEST_CASE("endless redirects and redirects to other protocols are errors", "[http_client]") {
  Site site;
  CHECK(absl::IsInvalidArgument(Fetch(site.Get("/loop")).status()));
  site.redirect_to = "file:///etc/passwd";
  CHECK(absl::IsInvalidArgument(Fetch(site.Get("/redirect")).status()));
}

TEST_CASE("a malformed URL is InvalidArgument", "[http_client]") {
  HttpRequest request;
  request.url = GENERATE("", "http://", "ftp://127.0.0.1/", "file:///etc/passwd");
  CHECK(absl::IsInvalidArgument(Fetch(request).status()));
}

TEST_CASE("a closed port is Unavailable", "[http_client]") {
  HttpRequest request;
  {
    const SilentSite gone;
    request.url = gone.url();
  }
  CHECK(absl::IsUnavailable(Fetch(request).status()));
}

TEST_CASE("a silent server causes a timeout", "[http_client]") {
  const SilentSite silent;
  HttpRequest request;
  request.url = silent.url();
  request.timeout = GENERATE(absl::Milliseconds(50), absl::ZeroDuration());
  CHECK(absl::IsDeadlineExceeded(Fetch(request).status()));
}

TEST_CASE("a cancelled request ends", "[http_client]") {
  const SilentSite silent;
  HttpRequest request;
  request.url = silent.url();
  request.is_cancelled = [] { return true; };
  CHECK(absl::IsCancelled(Fetch(request).status()));
}

TEST_CASE("a body beyond the limit is refused and not kept", "[http_client]") {
  const Site site;
  HttpRequest request = site.Get("/large");
  request.max_body_bytes = 100000;
  CHECK(Fetch(request)->body.size() == 100000);
  request.max_body_bytes = 99999;
  CHECK(absl::IsResourceExhausted(Fetch(request).status()));
}

TEST_CASE("status and headers of a response come first, then its body goes to the sink",
          "[http_client]") {
  const Site site;
  std::string order;
  size_t bytes = 0;
  HttpRequest request = site.Get("/large");
  request.on_answer = [&](int status, const std::map<std::string, std::string>& headers) {
    order += std::to_string(status) + headers.at("content-type").substr(0, 4);
    return absl::OkStatus();
  };
  request.on_body = [&](absl::string_view piece) {
    if (bytes == 0) order += " body";
    bytes += piece.size();
    return absl::OkStatus();
  };
  const auto response = Fetch(request);
  REQUIRE(response.ok());
  CHECK(order == "200text body");
  CHECK(bytes == 100000);
  CHECK(response->body.empty());
}

TEST_CASE("the body of an error does not go to the sink", "[http_client]") {
  const Site site;
  HttpRequest request = site.Get("/missing");
  bool called = false;
  request.on_body = [&](absl::string_view) {
    called = true;
    return absl::OkStatus();
  };
  CHECK(Fetch(request)->body == "no such thing");
  CHECK_FALSE(called);
}

TEST_CASE("the sink's error ends the transfer and is what Fetch returns", "[http_client]") {
  const Site site;
  HttpRequest request = site.Get("/large");
  request.on_body = [](absl::string_view) { return absl::DataLossError("digest differs"); };
  CHECK(absl::IsDataLoss(Fetch(request).status()));
  request.on_answer = [](int, const std::map<std::string, std::string>&) {
    return absl::AbortedError("not now");
  };
  CHECK(absl::IsAborted(Fetch(request).status()));
}

TEST_CASE("errors name the URL without its secrets", "[http_client]") {
  HttpRequest request;
  request.url = "http://user:password@127.0.0.1:1/blob?signature=secret";
  const auto response = Fetch(request);
  const std::string message(response.status().message());
  CHECK_THAT(message, Catch::Contains("GET http://127.0.0.1:1/blob"));
  CHECK_THAT(message, !Catch::Contains("password") && !Catch::Contains("secret"));
}

TEST_CASE("user information, query and fragment are cut from a URL", "[http_client]") {
  using Row = std::pair<std::string, std::string>;
  const auto [url, expected] = GENERATE(
      Row{"https://a.b/c?d=e", "https://a.b/c"}, Row{"https://u:p@a.b/c", "https://a.b/c"},
      Row{"https://u:p@ss@a.b/c", "https://a.b/c"}, Row{"https://a.b/c@d", "https://a.b/c@d"},
      Row{"https://u:p@a.b", "https://a.b"}, Row{"https://a.b/c#token=x", "https://a.b/c"},
      Row{"u:p@a.b/c", "a.b/c"}, Row{"", ""});
  CHECK(RedactUrl(url) == expected);
}

}  // namespace
}  // namespace davit
