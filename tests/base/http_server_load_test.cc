// What many, slow and hostile peers may do to an HTTP server, and must not.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/http_server.h"
#include "tests/support/http_peer.h"

namespace davit {
namespace {

using test::HttpPeer;
using Peers = std::vector<HttpPeer>;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr char kHalfHead[] = "GET / HTTP/1.1\r\nHo";
constexpr char kHalfBody[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf";

// This process may open as many files as the system lets it.
const bool has_raised_limit = [] {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}();

// True as soon as `condition` holds, which it must within the deadline.
bool Becomes(const std::function<bool()>& condition) {
  const absl::Duration deadline = Clock::Real()->Monotonic() + absl::Seconds(20);
  while (!condition()) {
    if (Clock::Real()->Monotonic() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

HttpServerResponse Hello(const HttpServerRequest&) { return {200, "text/plain", "hello", {}}; }

std::unique_ptr<HttpServer> Serve(const HttpServer::Options& options,
                                  HttpServer::Handler handler = Hello) {
  auto server = HttpServer::Start(options, std::move(handler));
  REQUIRE(server.ok());
  return *std::move(server);
}

bool IsServed(const HttpServer& server, const std::string& from = "127.0.0.1") {
  HttpPeer peer(server.port(), from);
  peer.Send(kGet);
  const std::string answer = peer.ReadAnswer();
  return answer.find("HTTP/1.1 200 OK") == 0 && answer.find("hello") != std::string::npos;
}

Peers Connect(const HttpServer& server, int count, const std::string& bytes,
              const std::string& from = "127.0.0.1") {
  Peers peers;
  for (int i = 0; i < count; ++i) {
    peers.emplace_back(server.port(), from);
    REQUIRE(peers.back().Send(bytes));
  }
  return peers;
}

size_t ThreadsOfThisProcess() {
  const std::string status = ReadFile("/proc/self/status").value();
  return std::strtoul(status.c_str() + status.find("Threads:") + 8, nullptr, 10);
}

TEST_CASE("thousands of silent, idle and half-sent connections cost no thread and delay nobody",
          "[http_server]") {
  REQUIRE(has_raised_limit);
  HttpServer::Options options;  // however slow this machine is
  options.header_timeout = options.body_timeout = options.idle_timeout = absl::Hours(1);
  const auto server = Serve(options);
  REQUIRE(IsServed(*server));
  const size_t threads = ThreadsOfThisProcess();
  Peers silent = Connect(*server, 1500, "");
  Peers half_heads = Connect(*server, 750, kHalfHead);
  Peers half_bodies = Connect(*server, 750, kHalfBody);
  Peers idle = Connect(*server, 1500, kGet);
  for (HttpPeer& peer : idle) REQUIRE(peer.ReadAnswer().find("hello") != std::string::npos);
  CHECK(Becomes([&] { return server->counters().open_connections >= 4500; }));
  CHECK(IsServed(*server));
  CHECK(ThreadsOfThisProcess() <= threads + 3);  // those that run handlers come when needed
  // All of them are still well.
  CHECK_THAT(silent.front().Get("/"), Catch::EndsWith("hello"));
  CHECK_THAT(idle.back().Get("/"), Catch::EndsWith("hello"));
  half_heads.back().Send("st: x\r\n\r\n");
  CHECK_THAT(half_heads.back().ReadAnswer(), Catch::EndsWith("hello"));
  half_bodies.back().Send(std::string(96, 'x'));
  CHECK_THAT(half_bodies.back().ReadAnswer(), Catch::EndsWith("hello"));
  CHECK(server->counters().closed_for_room == 0);
}

TEST_CASE("several I/O threads share the connections", "[http_server]") {
  HttpServer::Options options;
  options.io_threads = 3;
  const auto server = Serve(options);
  Peers idle = Connect(*server, 30, kGet);
  for (HttpPeer& peer : idle) CHECK_THAT(peer.ReadAnswer(), Catch::EndsWith("hello"));
  for (HttpPeer& peer : idle) CHECK_THAT(peer.Get("/"), Catch::EndsWith("hello"));
}

TEST_CASE("a slow reader gets all of its answer and delays nobody", "[http_server]") {
  const std::string large(30U << 20, 'x');
  const auto server = Serve({}, [&](const HttpServerRequest& request) {
    return request.path == "/large" ? HttpServerResponse{200, "text/plain", large, {}}
                                    : Hello(request);
  });
  Peers slow;
  for (int i = 0; i < 5; ++i) {
    slow.emplace_back(server->port(), "127.0.0.1", i == 0 ? 0 : 4096);
    slow.back().Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_FALSE(slow.back().ReadHead().empty());
  }
  CHECK(IsServed(*server));
  slow.front().Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string rest = slow.front().ReadToEnd();
  CHECK(rest.size() > large.size());
  CHECK(rest.compare(0, large.size(), large) == 0);
  CHECK_THAT(rest.substr(large.size()), Catch::EndsWith("hello"));
}

TEST_CASE("a peer that takes nothing of its answer is given up", "[http_server]") {
  HttpServer::Options options;
  options.write_stall_timeout = absl::Milliseconds(20);
  const auto server = Serve(options, [](const HttpServerRequest&) {
    return HttpServerResponse{200, "text/plain", std::string(30U << 20, 'x'), {}};
  });
  HttpPeer peer(server->port(), "127.0.0.1", 4096);
  peer.Send(kGet);
  CHECK(Becomes([&] { return server->counters().requests == 1; }));
  CHECK(Becomes([&] { return server->counters().open_connections == 0; }));
}

TEST_CASE("a request that does not arrive in time is told so", "[http_server]") {
  HttpServer::Options options;
  const bool is_head = GENERATE(true, false);
  (is_head ? options.header_timeout : options.body_timeout) = absl::Milliseconds(20);
  const auto server = Serve(options);
  HttpPeer peer(server->port());
  peer.Send(is_head ? kHalfHead : kHalfBody);
  bool is_closed = false;
  CHECK_THAT(peer.ReadToEnd(&is_closed),
             Catch::StartsWith("HTTP/1.1 408 ") && Catch::Contains(is_head ? "header" : "body"));
  CHECK(is_closed);
}

TEST_CASE("a connection that stays silent is closed without a word", "[http_server]") {
  HttpServer::Options options;
  options.idle_timeout = absl::Milliseconds(20);
  const auto server = Serve(options);
  HttpPeer peer(server->port());
  if (GENERATE(false, true)) CHECK_THAT(peer.Get("/"), Catch::EndsWith("hello"));
  bool is_closed = false;
  CHECK(peer.ReadToEnd(&is_closed).empty());
  CHECK(is_closed);
}

// A handler whose calls wait until the test lets them go.
class Gate {
 public:
  ~Gate() { Open(); }
  void Open() {
    if (!std::exchange(is_open_, true)) open_.set_value();
  }
  HttpServer::Handler handler() {
    return [this](const HttpServerRequest& request) {
      ++begun_;
      future_.wait();
      return Hello(request);
    };
  }
  int begun() const { return begun_; }

 private:
  std::promise<void> open_;
  std::shared_future<void> future_ = open_.get_future().share();
  bool is_open_ = false;
  std::atomic<int> begun_{0};
};

TEST_CASE("requests beyond those that may wait are answered 503 at once", "[http_server]") {
  Gate gate;
  HttpServer::Options options;
  options.threads = 1;
  options.max_requests = 3;
  const auto server = Serve(options, gate.handler());
  Peers waiting = Connect(*server, 3, kGet);
  REQUIRE(Becomes([&] {
    return server->counters().unanswered_requests == 3 && server->counters().waiting_requests == 2;
  }));
  HttpPeer refused(server->port());
  CHECK_THAT(refused.Get("/"),
             Catch::StartsWith("HTTP/1.1 503 ") && Catch::Contains("\r\nRetry-After: 1\r\n"));
  CHECK(server->counters().refused_requests == 1);
  CHECK(gate.begun() == 1);
  gate.Open();
  for (HttpPeer& peer : waiting) CHECK_THAT(peer.ReadAnswer(), Catch::EndsWith("hello"));
  CHECK_THAT(refused.Get("/"), Catch::EndsWith("hello"));
}

TEST_CASE("a handler that does not answer in time is a 503, and its answer is dropped",
          "[http_server]") {
  Gate gate;
  HttpServer::Options options;
  options.threads = 1;
  options.answer_timeout = absl::Milliseconds(20);
  const auto server = Serve(options, gate.handler());
  Peers peers = Connect(*server, 2, kGet);  // one of them waits for the thread
  for (HttpPeer& peer : peers)
    CHECK_THAT(peer.ReadAnswer(), Catch::StartsWith("HTTP/1.1 503 ") && Catch::Contains("20ms"));
  CHECK(server->counters().unanswered_requests == 0);
  gate.Open();
  CHECK(Becomes([&] { return server->counters().waiting_requests == 0; }));
  CHECK(gate.begun() == 1);  // nobody waited for the other one any more
}

TEST_CASE("when there is no room, the oldest idle connection of the largest peer goes",
          "[http_server]") {
  HttpServer::Options options;
  options.max_connections = 4;
  const auto server = Serve(options);
  const std::string bytes = GENERATE("", kHalfHead, kHalfBody);
  HttpPeer other(server->port(), "127.0.0.3");
  CHECK_THAT(other.Get("/"), Catch::EndsWith("hello"));
  Peers greedy;
  for (int i = 0; i < 10; ++i) {
    greedy.emplace_back(server->port(), "127.0.0.2");
    greedy.back().Send(bytes);
    CHECK(IsServed(*server));
  }
  // A connection whose bytes have not arrived yet is idle, and goes before an older half-sent one.
  if (bytes.empty()) CHECK(greedy.front().IsClosedByServer());
  CHECK(server->counters().closed_for_room >= 7);
  CHECK_THAT(other.Get("/"), Catch::EndsWith("hello"));
  CHECK(server->counters().open_connections <= 4);
}

TEST_CASE("memory that half-sent bodies hold is bounded, and the largest holder pays",
          "[http_server]") {
  HttpServer::Options options;
  options.max_buffered_bytes = 1U << 20;
  const auto server = Serve(options);
  const std::string most =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 400001\r\n\r\n" + std::string(400000, 'x');
  HttpPeer small(server->port(), "127.0.0.3");
  small.Send(kHalfBody);
  Peers greedy = Connect(*server, 2, most, "127.0.0.2");
  greedy.emplace_back(server->port(), "127.0.0.2");
  greedy.back().Send(most);  // now or later one of them is closed
  CHECK(Becomes([&] { return server->counters().closed_for_room > 0; }));
  CHECK(IsServed(*server));
  small.Send(std::string(96, 'x'));
  CHECK_THAT(small.ReadAnswer(), Catch::EndsWith("hello"));
}

// Leaves this process no file descriptor but `free` of them.
class NoDescriptors {
 public:
  explicit NoDescriptors(int free) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 256;  // so that few are needed to use up all
    setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = dup(0); fd >= 0; fd = dup(0)) taken_.push_back(fd);
    for (int i = 0; i < free && !taken_.empty(); ++i) {
      close(taken_.back());
      taken_.pop_back();
    }
  }
  ~NoDescriptors() {
    for (const int fd : taken_) close(fd);
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_CASE("out of file descriptors, an idle connection makes room", "[http_server]") {
  const auto server = Serve({});
  Peers idle = Connect(*server, 20, kGet);
  for (HttpPeer& peer : idle) CHECK_THAT(peer.ReadAnswer(), Catch::EndsWith("hello"));
  const NoDescriptors none(1);  // for the client
  CHECK(IsServed(*server));
  CHECK(server->counters().failed_accepts > 0);
  CHECK(idle.front().IsClosedByServer());
}

TEST_CASE("out of file descriptors with nobody to close, the server waits and does not spin",
          "[http_server]") {
  const auto server = Serve({});
  const absl::Duration start = Clock::Real()->Monotonic();
  std::unique_ptr<HttpPeer> peer;
  {
    const NoDescriptors none(1);
    peer = std::make_unique<HttpPeer>(server->port());
    CHECK(Becomes([&] { return server->counters().failed_accepts >= 3; }));
  }
  CHECK_THAT(peer->Get("/"), Catch::EndsWith("hello"));
  const int64_t pauses = (Clock::Real()->Monotonic() - start) / absl::Milliseconds(100);
  CHECK(server->counters().failed_accepts <= pauses + 1);
}

TEST_CASE("the server's end closes idle connections, and answers what has begun", "[http_server]") {
  Gate gate;
  auto server = Serve({}, gate.handler());
  Peers silent = Connect(*server, 100, "");
  Peers half = Connect(*server, 100, kHalfBody);
  HttpPeer begun(server->port());
  begun.Send(kGet);
  REQUIRE(Becomes([&] { return gate.begun() == 1; }));
  std::thread end([&] { server.reset(); });
  for (HttpPeer& peer : silent) CHECK(peer.IsClosedByServer());
  for (HttpPeer& peer : half) CHECK(peer.IsClosedByServer());
  gate.Open();
  CHECK_THAT(begun.ReadToEnd(),
             Catch::Contains("\r\nConnection: close\r\n") && Catch::EndsWith("hello"));
  end.join();
}

TEST_CASE("the server's end does not wait for ever for an answer, or for a reader",
          "[http_server]") {
  HttpServer::Options options;
  options.stop_timeout = absl::Milliseconds(20);
  std::promise<HttpResponder> responder;
  auto server = HttpServer::Start(options, [&](HttpServerRequest request, HttpResponder respond) {
    if (request.path == "/never") return responder.set_value(std::move(respond));
    respond({200, "text/plain", std::string(30U << 20, 'x'), {}});
  });
  REQUIRE(server.ok());
  HttpPeer never((*server)->port());
  never.Send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
  HttpPeer slow((*server)->port(), "127.0.0.1", 4096);
  slow.Send(kGet);
  CHECK_FALSE(slow.ReadHead().empty());
  HttpResponder kept = responder.get_future().get();
  server->reset();
  CHECK(never.IsClosedByServer());
}

}  // namespace
}  // namespace davit
