#ifndef DAVIT_CONTROLLER_API_API_SERVER_H_
#define DAVIT_CONTROLLER_API_API_SERVER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/http_server.h"
#include "controller/api/metrics.h"
#include "controller/api/sigv4.h"
#include "controller/loop/loop.h"

namespace davit::api {

// The controller's HTTP port: POST / is the ECS API, GET /metrics is for Prometheus, GET /healthz
// answers 200 while the loop answers. Handle() may be called from several threads and blocks until
// the loop has committed.
class ApiServer {
 public:
  // With `keys`, requests must be signed by one of them; without, signatures are not looked at.
  // `loop` and `clock` are borrowed and outlive it.
  ApiServer(loop::Loop* loop, const Clock* clock, AccessKeys keys)
      : loop_(loop), clock_(clock), keys_(std::move(keys)), metrics_(loop) {}

  HttpServerResponse Handle(const HttpServerRequest& request);

 private:
  HttpServerResponse HandleOperation(const HttpServerRequest& request);
  absl::StatusOr<loop::Answer> Answer(const HttpServerRequest& request, const std::string& target);
  HttpServerResponse HandleMetrics();

  loop::Loop* const loop_;
  const Clock* const clock_;
  const AccessKeys keys_;
  Metrics metrics_;
};

}  // namespace davit::api

#endif  // DAVIT_CONTROLLER_API_API_SERVER_H_
