#ifndef DAVIT_BASE_HTTP_SERVER_H_
#define DAVIT_BASE_HTTP_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit {

struct HttpServerRequest {
  std::string method;
  std::string path;  // without query
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string remote_address;
};

struct HttpServerResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers;
};

// Serves one handler for all requests over cpp-httplib (the only file that includes it is
// http_server.cc). The handler runs on the server's own threads, several at once, and may block. A
// handler that throws is answered with 500.
class HttpServer {
 public:
  using Handler = std::function<HttpServerResponse(const HttpServerRequest&)>;
  struct Options {
    std::string address = "127.0.0.1";
    int port = 0;  // 0: any free one
    int threads = 4;
    size_t max_body_bytes = 4U << 20;
  };

  // Listens from here on. FailedPrecondition: address and port cannot be bound (the text names
  // both).
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options, Handler handler);
  // Answers the requests that have begun, then returns.
  ~HttpServer();
  int port() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit

#endif  // DAVIT_BASE_HTTP_SERVER_H_
