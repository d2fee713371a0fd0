#include "base/http_server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace davit {
namespace {

constexpr int kIdleTimeoutMs = 5000;  // between two requests of a connection
constexpr int kPeerTimeoutMs = 5000;  // for a peer to send or take more of what has begun
constexpr int kMaxRequestsPerConnection = 1000;

// An accepted socket as the library wants it. The library's own is not for users of its API.
class Connection final : public httplib::Stream {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  ~Connection() override {
    shutdown(fd_, SHUT_RDWR);
    close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_readable() const override { return begin_ < end_ || Wait(POLLIN); }
  bool is_writable() const override { return Wait(POLLOUT); }
  ssize_t read(char* into, size_t size) override {  // the library asks for single bytes
    if (begin_ == end_) {
      if (!Wait(POLLIN)) return -1;
      const ssize_t got = recv(fd_, buffer_, sizeof(buffer_), 0);
      if (got <= 0) return got;
      begin_ = 0;
      end_ = static_cast<size_t>(got);
    }
    const size_t count = std::min(size, end_ - begin_);
    std::copy_n(buffer_ + begin_, count, into);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, size_t size) override {
    return is_writable() ? send(fd_, from, size, MSG_NOSIGNAL) : -1;
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    Name(&getpeername, &ip, &port);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    Name(&getsockname, &ip, &port);
  }
  socket_t socket() const override { return fd_; }

  // False: the peer asked for nothing more in time, or `stop` became readable.
  bool WaitForRequest(int stop) const {
    if (begin_ < end_) return true;
    pollfd polls[] = {{fd_, POLLIN, 0}, {stop, POLLIN, 0}};
    return poll(polls, 2, kIdleTimeoutMs) > 0 && polls[1].revents == 0;
  }

 private:
  bool Wait(short events) const {
    pollfd watched{fd_, events, 0};
    return poll(&watched, 1, kPeerTimeoutMs) > 0;
  }
  void Name(int (*ask)(int, sockaddr*, socklen_t*), std::string* ip, int* port) const {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    char text[INET6_ADDRSTRLEN] = "";
    if (ask(fd_, any, &length) != 0) return;
    if (any->sa_family == AF_INET) {
      const auto* const v4 = reinterpret_cast<const sockaddr_in*>(any);
      inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
      *port = ntohs(v4->sin_port);
    } else if (any->sa_family == AF_INET6) {
      const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(any);
      inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
      *port = ntohs(v6->sin6_port);
    }
    *ip = text;
  }

  const int fd_;
  char buffer_[4096];
  size_t begin_ = 0;  // of what was received and not read yet
  size_t end_ = 0;
};

// The library's server polls each idle connection a hundred times a second, and cannot be stopped
// while there are any: this one sleeps until something happens.
class Server final : public httplib::Server {
 public:
  Server() : stop_(eventfd(0, EFD_CLOEXEC)) {}
  ~Server() override { close(stop_); }
  void Stop() {
    eventfd_write(stop_, 1);
    stop();
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    Connection connection(socket);
    bool is_good = true;
    bool is_closed = false;
    for (int left = kMaxRequestsPerConnection; left > 0 && is_good && !is_closed; --left) {
      if (!connection.WaitForRequest(stop_)) break;
      is_good = process_request(connection, /*close_connection=*/left == 1, is_closed, nullptr);
    }
    return is_good;
  }

  const int stop_;
};

HttpServerRequest FromLibrary(const httplib::Request& request) {
  HttpServerRequest out{request.method, request.path, {}, {}, request.body, request.remote_addr};
  // Not request.params: the members of a posted form are among them.
  httplib::Params query;
  const size_t mark = request.target.find('?');
  if (mark != std::string::npos)
    httplib::detail::parse_query_text(request.target.substr(mark + 1), query);
  for (const auto& [name, value] : query) out.query.emplace(name, value);
  for (const auto& [name, value] : request.headers)
    out.headers.emplace(absl::AsciiStrToLower(name), value);
  return out;
}

}  // namespace

struct HttpServer::Impl {
  Server server;
  std::thread thread;
  int port = 0;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  impl_->server.Stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

int HttpServer::port() const { return impl_->port; }

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options,
                                                              Handler handler) {
  auto impl = std::make_unique<Impl>();
  Server& server = impl->server;
  const int threads = options.threads;
  server.new_task_queue = [threads] {
    return new httplib::ThreadPool(static_cast<size_t>(threads));
  };
  server.set_payload_max_length(options.max_body_bytes);
  server.set_tcp_nodelay(true);
  // Only SO_REUSEADDR: the library's default adds SO_REUSEPORT, with which two servers share a port
  // silently.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  const auto serve = [handler = std::move(handler)](const httplib::Request& in,
                                                    httplib::Response& out) {
    HttpServerResponse response = handler(FromLibrary(in));
    out.status = response.status;
    for (const auto& [name, value] : response.headers) out.set_header(name, value);
    out.set_content(std::move(response.body), response.content_type);
  };
  const char* const any_path = "[^]*";  // '.' is not a line break, which a path may hold
  server.Get(any_path, serve).Post(any_path, serve).Put(any_path, serve).Delete(any_path, serve);
  server.Patch(any_path, serve).Options(any_path, serve);
  // The library's own would name the exception in a header of the answer.
  server.set_exception_handler(
      [](const httplib::Request&, httplib::Response& out, const std::exception_ptr&) {
        out.status = 500;
        out.set_content("{\"error\":\"internal error\"}", "application/json");
      });
  impl->port = options.port;
  const bool bound = options.port == 0 ? (impl->port = server.bind_to_any_port(options.address)) > 0
                                       : server.bind_to_port(options.address, options.port);
  if (!bound) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot listen on ", options.address, ":", options.port, ": is it in use, or not ours?"));
  }
  impl->thread = std::thread([raw = impl.get()] { raw->server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace davit
