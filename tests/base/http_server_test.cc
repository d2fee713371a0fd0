#include "base/http_server.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "base/http_client.h"

namespace davit {
namespace {

HttpServerResponse Echo(const HttpServerRequest& request) {
  std::string text = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) text += "|" + name + "=" + value;
  return {201, "text/plain", text + "|" + request.body, {{"X-Davit", "1"}}};
}

std::unique_ptr<HttpServer> Serve(HttpServer::Handler handler) {
  auto server = HttpServer::Start({}, std::move(handler));
  REQUIRE(server.ok());
  return *std::move(server);
}

HttpResponse Call(const HttpServer& server, const std::string& method, const std::string& path,
                  const std::string& body = "") {
  HttpRequest request;
  request.method = method;
  request.url = "http://127.0.0.1:" + std::to_string(server.port()) + path;
  request.body = body;
  const auto response = Fetch(request);
  REQUIRE(response.ok());
  return *response;
}

TEST_CASE("the handler gets method, path, query and body, and gives status and headers",
          "[http_server]") {
  const auto server = Serve(Echo);
  const HttpResponse response = Call(*server, "POST", "/a/b?x=1&y=%20z", "body");
  CHECK(response.status == 201);
  CHECK(response.body == "POST /a/b|x=1|y= z|body");
  CHECK(response.headers.at("x-davit") == "1");
  CHECK_THAT(response.headers.at("content-type"), Catch::StartsWith("text/plain"));
}

TEST_CASE("every method and every path reaches the handler", "[http_server]") {
  const auto server = Serve(Echo);
  for (const std::string method : {"GET", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    CHECK(Call(*server, method, "/x").body == method + " /x|");
  }
  CHECK(Call(*server, "GET", "/a%0Ab").body == "GET /a\nb|");
  CHECK(Call(*server, "GET", "/" + std::string(8000, 'x')).status == 201);
}

TEST_CASE("a handler that throws is a 500 that says nothing of the inside", "[http_server]") {
  const auto server = Serve(
      [](const HttpServerRequest&) -> HttpServerResponse { throw std::runtime_error("secret"); });
  const HttpResponse response = Call(*server, "GET", "/");
  CHECK(response.status == 500);
  CHECK_THAT(response.body, !Catch::Contains("secret"));
  for (const auto& [name, value] : response.headers) CHECK(value != "secret");
}

TEST_CASE("a body beyond the limit never reaches the handler", "[http_server]") {
  std::atomic<int> calls{0};
  HttpServer::Options options;
  options.max_body_bytes = 1000;
  const auto server = HttpServer::Start(options, [&](const HttpServerRequest& request) {
    ++calls;
    return Echo(request);
  });
  REQUIRE(server.ok());
  CHECK(Call(**server, "POST", "/", std::string(1000, 'x')).status == 201);
  CHECK(Call(**server, "POST", "/", std::string(1001, 'x')).status == 413);
  CHECK(calls == 1);
}

TEST_CASE("a port in use is refused with address and port", "[http_server]") {
  const auto first = Serve(Echo);
  HttpServer::Options options;
  options.port = first->port();
  const auto second = HttpServer::Start(options, Echo);
  REQUIRE(absl::IsFailedPrecondition(second.status()));
  CHECK_THAT(std::string(second.status().message()),
             Catch::Contains("127.0.0.1:" + std::to_string(first->port())));
}

TEST_CASE("an address that is not this host's is refused", "[http_server]") {
  HttpServer::Options options;
  options.address = "192.0.2.1";
  CHECK(absl::IsFailedPrecondition(HttpServer::Start(options, Echo).status()));
}

TEST_CASE("a port is free again at once when its server is gone", "[http_server]") {
  HttpServer::Options options;
  {
    const auto first = Serve(Echo);
    Call(*first, "GET", "/");
    options.port = first->port();
  }
  CHECK(HttpServer::Start(options, Echo).ok());
}

}  // namespace
}  // namespace davit
