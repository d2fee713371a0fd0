#include "base/http_server.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

#include "base/http_client.h"
#include "tests/support/http_peer.h"

namespace davit {
namespace {

using test::HttpPeer;

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

TEST_CASE("requests sent at once are answered in their order", "[http_server]") {
  const auto server = Serve(Echo);
  HttpPeer peer(server->port());
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests +=
        "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
  }
  peer.Send(requests);
  for (int i = 0; i < 20; ++i)
    CHECK_THAT(peer.ReadAnswer(), Catch::EndsWith("POST /" + std::to_string(i) + "|ab"));
}

TEST_CASE("a body that comes in chunks, or after 100 Continue, arrives", "[http_server]") {
  const auto server = Serve(Echo);
  HttpPeer peer(server->port());
  peer.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
  peer.Send("1\r\nc\r\n0\r\n\r\n");
  CHECK_THAT(peer.ReadAnswer(), Catch::EndsWith("|abc"));
  peer.Send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(peer.ReadHead() == "HTTP/1.1 100 Continue\r\n\r\n");
  peer.Send("abc");
  CHECK_THAT(peer.ReadAnswer(), Catch::EndsWith("|abc"));
}

TEST_CASE("libcurl's large body, which it sends after 100 Continue, arrives", "[http_server]") {
  const auto server = Serve(Echo);
  const std::string body(3U << 20, 'x');
  CHECK(Call(*server, "POST", "/", body).body == "POST /|" + body);
}

TEST_CASE("a large body that is refused does not destroy its answer", "[http_server]") {
  const auto server = Serve(Echo);
  HttpPeer peer(server->port());
  peer.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n" +
            std::string(5000000, 'x'));
  CHECK_THAT(peer.ReadAnswer(), Catch::StartsWith("HTTP/1.1 413 "));
  CHECK(peer.IsClosedByServer());
}

TEST_CASE("HEAD is answered with the length, and without the body", "[http_server]") {
  const auto server = Serve(Echo);
  HttpPeer peer(server->port());
  peer.Send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK_THAT(peer.ReadHead(), Catch::Contains("\r\nContent-Length: 8\r\n"));
  CHECK_THAT(peer.Get("/y"), Catch::EndsWith("GET /y|"));
}

TEST_CASE("an answer without a body has no length, and the next one follows", "[http_server]") {
  const auto server = Serve([](const HttpServerRequest& request) {
    return HttpServerResponse{request.path == "/204" ? 204 : 200, "text/plain", "text", {}};
  });
  HttpPeer peer(server->port());
  CHECK_THAT(peer.Get("/204"), Catch::StartsWith("HTTP/1.1 204 ") && !Catch::Contains("Length"));
  CHECK_THAT(peer.Get("/"), Catch::EndsWith("text"));
}

TEST_CASE("the connection is closed after the answer where one side asks for it", "[http_server]") {
  const std::string request =
      GENERATE("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
               "GET /close HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto server = Serve([](const HttpServerRequest& in) {
    HttpServerResponse response = Echo(in);
    if (in.path == "/close") response.headers["Connection"] = "close";
    return response;
  });
  HttpPeer peer(server->port());
  peer.Send(request);
  bool is_closed = false;
  CHECK_THAT(peer.ReadToEnd(&is_closed), Catch::Contains("\r\nConnection: close\r\n"));
  CHECK(is_closed);
}

TEST_CASE("a client that sends nothing more after its request is answered", "[http_server]") {
  const auto server = Serve(Echo);
  HttpPeer peer(server->port());
  peer.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  peer.EndSending();
  CHECK_THAT(peer.ReadToEnd(), Catch::EndsWith("GET /x|"));
}

TEST_CASE("what is not a request is a 400 in words, and the end", "[http_server]") {
  const std::string bytes = GENERATE(std::string("\x16\x03\x01\x02\x00\x01", 6), "GARBAGE\r\n\r\n",
                                     "GET / HTTP/1.1\r\n\r\n",
                                     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  const auto server = Serve(Echo);
  HttpPeer peer(server->port());
  peer.Send(bytes);
  peer.EndSending();
  bool is_closed = false;
  CHECK_THAT(peer.ReadToEnd(&is_closed),
             Catch::StartsWith("HTTP/1.1 400 Bad Request\r\n") && Catch::Contains("request"));
  CHECK(is_closed);
  CHECK(server->counters().bad_requests == 1);
  CHECK(server->counters().requests == 0);
}

TEST_CASE("IPv6 is served, and IPv4 clients keep their address there", "[http_server]") {
  HttpServer::Options options;
  options.address = GENERATE("::1", "::");
  const auto server = HttpServer::Start(options, [](const HttpServerRequest& request) {
    return HttpServerResponse{200, "text/plain", request.remote_address, {}};
  });
  REQUIRE(server.ok());
  const auto fetch = [&](const std::string& host) {
    HttpRequest request;
    request.url = "http://" + host + ":" + std::to_string((*server)->port()) + "/";
    return Fetch(request)->body;
  };
  CHECK(fetch("[::1]") == "::1");
  if (options.address == "::") CHECK(fetch("127.0.0.1") == "127.0.0.1");
}

TEST_CASE("a name may stand for the address", "[http_server]") {
  HttpServer::Options options;
  options.address = "localhost";
  CHECK(HttpServer::Start(options, Echo).ok());
  options.address = "no.such.host.invalid";
  CHECK(absl::IsFailedPrecondition(HttpServer::Start(options, Echo).status()));
}

// Answers /later when the test wants it, everything else at once.
class Later {
 public:
  Later() {
    HttpServer::Options options;
    options.stop_timeout = absl::Milliseconds(10);
    auto server =
        HttpServer::Start(options, [this](HttpServerRequest request, HttpResponder respond) {
          if (request.path == "/later") return responder_.set_value(std::move(respond));
          respond(Echo(request));
        });
    REQUIRE(server.ok());
    server_ = *std::move(server);
  }
  // Waits until /later was asked for.
  HttpResponder TakeResponder() { return responder_.get_future().get(); }
  int port() const { return server_->port(); }
  void Stop() { server_.reset(); }

 private:
  std::promise<HttpResponder> responder_;
  std::unique_ptr<HttpServer> server_;
};

TEST_CASE("an answer may come later, from another thread", "[http_server]") {
  Later later;
  HttpPeer peer(later.port());
  peer.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  HttpResponder respond = later.TakeResponder();
  CHECK_THAT(HttpPeer(later.port()).Get("/meanwhile"), Catch::EndsWith("GET /meanwhile|"));
  std::thread([&] { respond({200, "text/plain", "at last", {}}); }).join();
  respond({200, "text/plain", "a second answer is ignored", {}});
  CHECK_THAT(peer.ReadAnswer(), Catch::EndsWith("at last"));
  CHECK_THAT(peer.ReadAnswer(), Catch::EndsWith("GET /next|"));
}

TEST_CASE("a responder that is dropped answers 500", "[http_server]") {
  Later later;
  HttpPeer peer(later.port());
  peer.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  { const HttpResponder dropped = later.TakeResponder(); }
  CHECK_THAT(peer.ReadAnswer(), Catch::StartsWith("HTTP/1.1 500 "));
}

TEST_CASE("a responder may be used after its connection or server has gone", "[http_server]") {
  Later later;
  std::optional<HttpPeer> peer(std::in_place, later.port());
  peer->Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  HttpResponder respond = later.TakeResponder();
  peer.reset();
  SECTION("the connection") { CHECK_THAT(HttpPeer(later.port()).Get("/"), Catch::EndsWith("|")); }
  SECTION("the server") { later.Stop(); }
  respond({200, "text/plain", "too late", {}});
}

}  // namespace
}  // namespace davit
