#ifndef DAVIT_CONTROLLER_API_API_SERVER_H_
#define DAVIT_CONTROLLER_API_API_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/http_server.h"
#include "controller/api/metrics.h"
#include "controller/loop/loop.h"

namespace davit::api {

// The controller's HTTP port: POST / is the ECS API, GET /metrics is for Prometheus, GET /healthz answers 200 while the
// loop answers. Handle() may be called from several threads and blocks until the loop has committed.
class ApiServer {
 public:
  // Borrowed: both outlive it.
  ApiServer(loop::Loop* loop, const Clock* clock) : loop_(loop), clock_(clock), metrics_(loop) {}

  HttpServerResponse Handle(const HttpServerRequest& request);

 private:
  HttpServerResponse HandleOperation(const HttpServerRequest& request);
  HttpServerResponse HandleMetrics();

  loop::Loop* const loop_;
  const Clock* const clock_;
  Metrics metrics_;
};

}  // namespace davit::api

#endif  // DAVIT_CONTROLLER_API_API_SERVER_H_
