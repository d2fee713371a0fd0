#include "base/http_server.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace davit {

struct HttpServer::Impl {
  httplib::Server server;
  std::thread thread;
  int port = 0;
};

namespace {

HttpServerRequest FromLibrary(const httplib::Request& request) {
  HttpServerRequest out{request.method, request.path, {}, {}, request.body, request.remote_addr};
  for (const auto& [name, value] : request.params) out.query.emplace(name, value);
  for (const auto& [name, value] : request.headers) out.headers.emplace(absl::AsciiStrToLower(name), value);
  return out;
}

}  // namespace

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  impl_->server.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

int HttpServer::port() const { return impl_->port; }

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options, Handler handler) {
  auto impl = std::make_unique<Impl>();
  httplib::Server& server = impl->server;
  const int threads = options.threads;
  server.new_task_queue = [threads] { return new httplib::ThreadPool(static_cast<size_t>(threads)); };
  server.set_payload_max_length(options.max_body_bytes);
  server.set_keep_alive_max_count(1000);
  server.set_tcp_nodelay(true);
  // Only SO_REUSEADDR: the library's default adds SO_REUSEPORT, with which two servers share a port silently.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  const auto serve = [handler = std::move(handler)](const httplib::Request& in, httplib::Response& out) {
    HttpServerResponse response = handler(FromLibrary(in));
    out.status = response.status;
    for (const auto& [name, value] : response.headers) out.set_header(name, value);
    out.set_content(std::move(response.body), response.content_type);
  };
  const char* const any_path = ".*";
  server.Get(any_path, serve).Post(any_path, serve).Put(any_path, serve).Delete(any_path, serve);
  impl->port = options.port;
  const bool bound = options.port == 0 ? (impl->port = server.bind_to_any_port(options.address)) > 0
                                       : server.bind_to_port(options.address, options.port);
  if (!bound) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen on ", options.address, ":", options.port, ": is it in use, or not ours?"));
  }
  impl->thread = std::thread([raw = impl.get()] { raw->server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace davit
