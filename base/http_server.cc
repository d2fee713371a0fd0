#include "base/http_server.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/http_connection.h"
#include "base/log.h"
#include "base/status.h"

namespace davit {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// After an accept that failed, when no connection could be closed to make room.
constexpr std::chrono::milliseconds kAcceptPause{100};
// How many connections make room when the process has no more file descriptors.
constexpr int kRoomForAccepts = 16;

size_t MaxConnections(const HttpServer::Options& options) {
  rlimit limit{};
  size_t most = options.max_connections;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    most = std::min<size_t>(most, limit.rlim_cur / 4 * 3);
  return std::max<size_t>(1, most / static_cast<size_t>(options.io_threads));
}

// IPv4 clients of a socket that serves both families are shown as such.
std::string TextOf(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

// One I/O thread and the connections it serves. Methods run on that thread, unless they say
// otherwise.
class IoThread {
 public:
  IoThread(const HttpServer::Options& options, HttpServerCounters* counters)
      : max_connections_(MaxConnections(options)),
        max_bytes_(options.max_buffered_bytes / static_cast<size_t>(options.io_threads)),
        work_(io_->get_executor()),
        stop_timer_(*io_) {
    context_.options = options;
    context_.counters = counters;
    context_.io = io_;
    context_.on_memory = [this] { FreeMemory(); };
    context_.on_closed = [this](HttpConnectionLedger::Id id) { Forget(id); };
  }
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // On any thread, before Run().
  void set_handle(decltype(HttpConnectionContext::handle) handle) {
    context_.handle = std::move(handle);
  }
  asio::io_context* io() const { return io_.get(); }
  // On any thread. Throws std::system_error when there can be no thread.
  void Run() {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "http-io");
      for (;;) {
        try {
          io_->run();
          return;
        } catch (const std::exception& problem) {
          LogError("HTTP server met an internal error", {{"error", problem.what()}});
        }
      }
    });
  }
  // On any thread.
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

  void Add(HttpConnection::Socket socket, const std::string& address) {
    if (context_.is_stopping) return;
    const std::string peer = HttpConnectionLedger::PeerOf(address);
    while (context_.ledger.connections() >= max_connections_) {
      if (CloseForRoom(context_.ledger.FindRoomFor(peer))) continue;
      ++context_.counters->refused_connections;
      return;
    }
    const HttpConnectionLedger::Id id = next_id_++;
    const auto connection =
        std::make_shared<HttpConnection>(id, std::move(socket), address, &context_);
    context_.ledger.Add(id, peer);
    connections_.emplace(id, connection);
    ++context_.counters->open_connections;
    try {
      connection->Start();
    } catch (const std::exception&) {
      connection->Close();
      throw;
    }
  }

  // False: nobody could go.
  bool MakeRoom() {
    bool has_closed = false;
    for (int i = 0; i < kRoomForAccepts; ++i)
      has_closed |= CloseForRoom(context_.ledger.FindRoomFor(""));
    return has_closed;
  }

  void Stop() {
    context_.is_stopping = true;
    for (const auto& connection : Connections()) connection->Stop();
    stop_timer_.expires_after(absl::ToChronoNanoseconds(context_.options.stop_timeout));
    stop_timer_.async_wait([this](error_code error) {
      if (error) return;
      for (const auto& connection : Connections()) connection->Close();
    });
    EndIfIdle();
  }

 private:
  std::vector<std::shared_ptr<HttpConnection>> Connections() const {
    std::vector<std::shared_ptr<HttpConnection>> connections;
    for (const auto& [id, connection] : connections_) connections.push_back(connection);
    return connections;
  }

  bool CloseForRoom(std::optional<HttpConnectionLedger::Id> id) {
    if (!id) return false;
    ++context_.counters->closed_for_room;
    const std::shared_ptr<HttpConnection> connection = connections_.at(*id);
    connection->Close();
    return true;
  }

  void FreeMemory() {
    while (context_.ledger.bytes() > max_bytes_) {
      if (!CloseForRoom(context_.ledger.FindMemory())) return;
    }
  }

  void Forget(HttpConnectionLedger::Id id) {
    context_.ledger.Remove(id);
    connections_.erase(id);
    --context_.counters->open_connections;
    EndIfIdle();
  }

  // Ends the thread when the server stops and nobody is served any more.
  void EndIfIdle() {
    if (!context_.is_stopping || !connections_.empty()) return;
    stop_timer_.cancel();
    work_.reset();
  }

  const size_t max_connections_;
  const size_t max_bytes_;
  const std::shared_ptr<asio::io_context> io_ = std::make_shared<asio::io_context>(1);
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer stop_timer_;
  HttpConnectionContext context_;
  std::unordered_map<HttpConnectionLedger::Id, std::shared_ptr<HttpConnection>> connections_;
  HttpConnectionLedger::Id next_id_ = 1;
  std::thread thread_;
};

// Accepts for all I/O threads, on the first of them.
class Acceptor {
 public:
  Acceptor(std::vector<std::unique_ptr<IoThread>>* threads, HttpServerCounters* counters)
      : threads_(threads),
        counters_(counters),
        acceptor_(*threads->front()->io()),
        pause_(*threads->front()->io()) {}

  absl::Status Listen(const std::string& address, int port) {
    error_code error;
    tcp::resolver resolver(*threads_->front()->io());
    const auto endpoints =
        resolver.resolve(address, absl::StrCat(port),
                         tcp::resolver::passive | tcp::resolver::numeric_service, error);
    for (const auto& entry : endpoints) {
      error = ListenOn(entry.endpoint());
      if (error) continue;
      port_ = acceptor_.local_endpoint().port();
      return absl::OkStatus();
    }
    const bool is_v6 = address.find(':') != std::string::npos;
    return absl::FailedPreconditionError(absl::StrCat("cannot listen on ", is_v6 ? "[" : "",
                                                      address, is_v6 ? "]" : "", ":", port, ": ",
                                                      error.message()));
  }
  int port() const { return port_; }

  void Accept() {
    IoThread* const thread = (*threads_)[next_++ % threads_->size()].get();
    acceptor_.async_accept(*thread->io(),
                           [this, thread](error_code error, HttpConnection::Socket socket) {
                             if (!acceptor_.is_open()) return;
                             if (error) return OnFailure(error);
                             Give(thread, std::move(socket));
                             Accept();
                           });
  }

  void Close() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  error_code ListenOn(const tcp::endpoint& endpoint) {
    error_code error;
    acceptor_.close(error);
    acceptor_.open(endpoint.protocol(), error);
    // Not SO_REUSEPORT, with which two servers would share a port silently.
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    return error;
  }

  void OnFailure(error_code error) {
    if (error == asio::error::connection_aborted) return Accept();
    // Most likely the process is out of file descriptors. The connection is still in the kernel's
    // queue, so another attempt at once would fail as well, and so on.
    ++counters_->failed_accepts;
    if (threads_->front()->MakeRoom()) return Accept();
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](error_code) {
      if (acceptor_.is_open()) Accept();
    });
  }

  void Give(IoThread* thread, HttpConnection::Socket socket) {
    try {
      error_code error;
      const tcp::endpoint peer = socket.remote_endpoint(error);
      if (error) return;  // it has gone already
      std::string address = TextOf(peer.address());
      if (thread == threads_->front().get()) return thread->Add(std::move(socket), address);
      asio::post(*thread->io(), [thread, socket = std::move(socket), address]() mutable {
        thread->Add(std::move(socket), address);
      });
    } catch (const std::exception& problem) {  // out of memory: others are still accepted
      LogError("HTTP connection is refused after an internal error", {{"error", problem.what()}});
    }
  }

  std::vector<std::unique_ptr<IoThread>>* const threads_;
  HttpServerCounters* const counters_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  int port_ = 0;     // constant after Listen()
  size_t next_ = 0;  // which thread gets the next connection
};

}  // namespace

HttpResponder::~HttpResponder() {
  if (send_ != nullptr) (*this)(PlainHttpResponse(500, "internal error"));
}

HttpResponder::HttpResponder(HttpResponder&& other) noexcept
    : send_(std::exchange(other.send_, nullptr)) {}

void HttpResponder::operator()(HttpServerResponse response) {
  if (Send send = std::exchange(send_, nullptr); send != nullptr) send(std::move(response));
}

struct HttpServer::Impl {
  Impl(const Options& given, AsyncHandler h)
      : options(given),
        counters(given.counters == nullptr ? &own_counters : given.counters),
        handler(std::move(h)),
        workers("http", given.threads) {
    for (int i = 0; i < options.io_threads; ++i) {
      io_threads.push_back(std::make_unique<IoThread>(options, counters));
      io_threads.back()->set_handle([this](HttpServerRequest request, HttpResponder respond) {
        Dispatch(std::move(request), std::move(respond));
      });
    }
    acceptor = std::make_unique<Acceptor>(&io_threads, counters);
  }

  // On an I/O thread.
  void Dispatch(HttpServerRequest request, HttpResponder respond) {
    const auto most = static_cast<int64_t>(options.max_requests);
    // Answered by their time-out, requests may wait still.
    if (counters->unanswered_requests > most || counters->waiting_requests >= most) {
      ++counters->refused_requests;
      HttpServerResponse busy = PlainHttpResponse(503, "too many requests wait; try again");
      busy.headers["Retry-After"] = "1";
      return respond(std::move(busy));
    }
    ++counters->waiting_requests;
    const absl::Duration deadline = Clock::Real()->Monotonic() + options.answer_timeout;
    workers.Post(
        [this, deadline, request = std::move(request), respond = std::move(respond)]() mutable {
          --counters->waiting_requests;
          // Nobody waits for the answer any more.
          if (is_abandoned || Clock::Real()->Monotonic() >= deadline) return;
          RunHandler(std::move(request), std::move(respond));
        });
  }

  void RunHandler(HttpServerRequest request, HttpResponder respond) {
    const std::string what = absl::StrCat(request.method, " ", request.path);
    try {
      handler(std::move(request), std::move(respond));
    } catch (const std::exception& problem) {
      LogError("HTTP handler failed", {{"request", what}, {"error", problem.what()}});
    } catch (...) {
      LogError("HTTP handler failed", {{"request", what}});
    }
  }

  void Run() {
    for (const auto& thread : io_threads) thread->Run();
    asio::post(*io_threads.front()->io(), [this] { acceptor->Accept(); });
  }

  void Stop() {
    asio::post(*io_threads.front()->io(), [this] { acceptor->Close(); });
    for (const auto& thread : io_threads)
      asio::post(*thread->io(), [raw = thread.get()] { raw->Stop(); });
    for (const auto& thread : io_threads) thread->Join();
    is_abandoned = true;
    workers.Stop();
  }

  const Options options;
  HttpServerCounters own_counters;
  HttpServerCounters* const counters;
  const AsyncHandler handler;
  std::atomic<bool> is_abandoned{false};
  std::vector<std::unique_ptr<IoThread>> io_threads;
  std::unique_ptr<Acceptor> acceptor;
  ThreadPool workers;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { impl_->Stop(); }

int HttpServer::port() const { return impl_->acceptor->port(); }

const HttpServerCounters& HttpServer::counters() const { return *impl_->counters; }

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options,
                                                              Handler handler) {
  return Start(options, [handler = std::move(handler)](const HttpServerRequest& request,
                                                       HttpResponder respond) {
    respond(handler(request));
  });
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options,
                                                              AsyncHandler handler) {
  if (options.io_threads < 1 || options.threads < 1)
    return absl::InvalidArgumentError("an HTTP server needs at least one thread of each kind");
  try {
    auto impl = std::make_unique<Impl>(options, std::move(handler));
    RETURN_IF_ERROR(impl->acceptor->Listen(options.address, options.port));
    std::unique_ptr<HttpServer> server(new HttpServer(std::move(impl)));
    server->impl_->Run();
    return server;
  } catch (const std::exception& problem) {  // no thread, no epoll descriptor
    return absl::ResourceExhaustedError(absl::StrCat("cannot serve HTTP: ", problem.what()));
  }
}

}  // namespace davit
