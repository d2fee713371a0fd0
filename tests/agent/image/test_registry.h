#ifndef DAVIT_TESTS_AGENT_IMAGE_TEST_REGISTRY_H_
#define DAVIT_TESTS_AGENT_IMAGE_TEST_REGISTRY_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/http_server.h"
#include "base/mutex.h"

namespace davit::image {

// A registry inside the test. The test's handler gets every request, one at a time. Records the
// requests. Thread-safe.
class TestRegistry {
 public:
  using Handler = std::function<HttpServerResponse(const HttpServerRequest&)>;

  explicit TestRegistry(Handler handler) {
    server_ = HttpServer::Start({}, [this, handler = std::move(handler)](const auto& request) {
                MutexLock lock(&mu_);
                requests_.push_back(request);
                HttpServerResponse response = handler(request);
                // The server's end waits for idle connections.
                response.headers.emplace("Connection", "close");
                return response;
              }).value();
  }
  std::string host() const { return absl::StrCat("127.0.0.1:", server_->port()); }
  std::string url() const { return absl::StrCat("http://", host()); }
  std::vector<HttpServerRequest> requests() const {
    MutexLock lock(&mu_);
    return requests_;
  }

 private:
  mutable Mutex mu_;
  std::vector<HttpServerRequest> requests_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpServer> server_;  // last member: uses the others
};

// Answers each connection with the next of some prepared texts, byte for byte, and closes it. For
// responses that a correct server never sends, such as a truncated one.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers);
  ~ScriptedServer();
  std::string host() const { return absl::StrCat("127.0.0.1:", port_); }
  // The head of each request, in order.
  std::vector<std::string> requests() const {
    MutexLock lock(&mu_);
    return requests_;
  }

 private:
  void Serve(const std::vector<std::string>& answers);

  int listener_ = -1;
  int port_ = 0;
  mutable Mutex mu_;
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace davit::image

#endif  // DAVIT_TESTS_AGENT_IMAGE_TEST_REGISTRY_H_
