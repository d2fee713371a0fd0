#ifndef DAVIT_BASE_HTTP_SERVER_H_
#define DAVIT_BASE_HTTP_SERVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit {

struct HttpServerRequest {
  std::string method;                          // as sent: HEAD is not turned into GET
  std::string path;                            // without query, percent-decoded
  std::map<std::string, std::string> query;    // decoded; the first of several with one name
  std::map<std::string, std::string> headers;  // names in lower case; repeated ones joined by ", "
  std::string body;
  std::string remote_address;
};

struct HttpServerResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;  // not sent to HEAD
  std::map<std::string, std::string> headers;
};

// Answers one request: call it once, now or later, on any thread. One that is destroyed without
// having been called answers 500. It may outlive the server, and then does nothing.
class HttpResponder {
 public:
  using Send = absl::AnyInvocable<void(HttpServerResponse)>;
  explicit HttpResponder(Send send) : send_(std::move(send)) {}
  ~HttpResponder();
  HttpResponder(HttpResponder&& other) noexcept;
  HttpResponder& operator=(HttpResponder&&) = delete;
  void operator()(HttpServerResponse response);

 private:
  Send send_;  // null once it was called
};

// What a server does and has done, for metrics. The server writes, anybody reads.
struct HttpServerCounters {
  // Now.
  std::atomic<int64_t> open_connections{0};
  std::atomic<int64_t> waiting_requests{0};     // for a thread that runs their handler
  std::atomic<int64_t> unanswered_requests{0};  // read, and not answered by their handler yet
  // Since the start.
  std::atomic<int64_t> requests{0};  // read completely
  std::atomic<int64_t> refused_requests{
      0};                                   // 503: too many were unanswered, or the answer was late
  std::atomic<int64_t> bad_requests{0};     // 4xx of the server itself: malformed, too large, slow
  std::atomic<int64_t> closed_for_room{0};  // connections closed because others needed the room
  std::atomic<int64_t> refused_connections{0};  // accepted, and closed because nothing could go
  std::atomic<int64_t> failed_accepts{0};       // out of file descriptors, for instance
};

// Serves one handler for all requests, by HTTP/1.0 and 1.1, over Boost.Asio and Beast. A connection
// costs memory only, never a thread: silent, idle and slow peers do not delay requests of others.
//
// Handlers run on the server's own threads, several at once. A plain Handler may block; an
// AsyncHandler answers when it likes. A handler that throws is answered with 500. Requests of one
// connection are answered in their order, one at a time.
//
// When there is no room for one more connection, the peer address (IPv6: /64 network) that holds
// the most loses its oldest idle one, or else its oldest half-sent or half-read one. An address
// that holds the most itself takes from nobody else, so no address can keep the others out. No
// address, loopback included, has a fixed limit of its own: proxies and tunnels make many clients
// look like one.
//
// Thread-safe.
class HttpServer {
 public:
  using Handler = std::function<HttpServerResponse(const HttpServerRequest&)>;
  using AsyncHandler = std::function<void(HttpServerRequest, HttpResponder)>;
  struct Options {
    std::string address = "127.0.0.1";    // or a name; "::" takes IPv4 as well
    int port = 0;                         // 0: any free one
    int threads = 4;                      // that run handlers
    int io_threads = 1;                   // that move bytes; each has its share of max_connections
    size_t max_requests = 512;            // unanswered at a time; those beyond are answered 503
    size_t max_connections = 20000;       // also at most 3/4 of the process's RLIMIT_NOFILE
    size_t max_header_bytes = 64U << 10;  // 431 beyond
    size_t max_body_bytes = 4U << 20;     // 413 beyond
    size_t max_buffered_bytes = 256U << 20;  // of bodies and answers; the largest holder is closed
    absl::Duration idle_timeout = absl::Seconds(75);  // before and between requests
    absl::Duration header_timeout = absl::Seconds(10);
    absl::Duration body_timeout = absl::Seconds(30);
    absl::Duration answer_timeout = absl::Seconds(60);       // for the handler, then 503
    absl::Duration write_stall_timeout = absl::Seconds(30);  // in which a peer must take something
    absl::Duration stop_timeout = absl::Seconds(5);          // for requests that have begun
    HttpServerCounters* counters = nullptr;                  // borrowed; null: its own
  };

  // Listens from here on. FailedPrecondition: address and port cannot be bound (the text names
  // both). ResourceExhausted: no thread can be made. InvalidArgument: `threads` or `io_threads` is
  // less than 1.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options, Handler handler);
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options,
                                                           AsyncHandler handler);
  // Accepts nothing more, closes idle connections, and gives requests that have begun stop_timeout
  // to be answered. Then returns as soon as no handler runs. Not to be called by a handler.
  ~HttpServer();
  int port() const;
  const HttpServerCounters& counters() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit

#endif  // DAVIT_BASE_HTTP_SERVER_H_
