#ifndef DAVIT_CONTROLLER_API_API_SERVER_H_
#define DAVIT_CONTROLLER_API_API_SERVER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/http_server.h"
#include "controller/api/metrics.h"
#include "controller/api/sigv4.h"
#include "controller/loop/loop.h"

namespace davit::controller::api {

// The controller's HTTP port: POST / is the ECS API, GET /metrics is for Prometheus, GET /healthz
// answers 200 while the controller can do its work. Thread-safe.
class ApiServer {
 public:
  // With `keys`, requests must be signed by one of them; without, signatures are not checked.
  // `encoders` runs what follows a commit: encoding and sending the answer. `http` is exported.
  // Borrowed: all but `keys`.
  ApiServer(loop::Loop* loop, Executor* encoders, const Clock* clock,
            const HttpServerCounters* http, AccessKeys keys)
      : loop_(loop),
        encoders_(encoders),
        clock_(clock),
        keys_(std::move(keys)),
        metrics_(loop, http) {}

  // Reads are carried out in the call and answered by it. What changes the cluster is answered once
  // it is durable, on `encoders`. Never blocks on the disk.
  void Handle(HttpServerRequest request, HttpResponder respond);

 private:
  // One request of the ECS API.
  struct Call {
    std::string operation;  // "unknown" where the client made one up: names become labels
    std::string request_id;
    absl::Duration start;
    HttpResponder respond;
  };
  void HandleOperation(const HttpServerRequest& request, HttpResponder respond);
  void Finish(Call call, const absl::StatusOr<model::Answer>& answer);
  absl::StatusOr<const model::Operation*> FindOperation(const HttpServerRequest& request,
                                                        const std::string& target) const;

  loop::Loop* const loop_;
  Executor* const encoders_;
  const Clock* const clock_;
  const AccessKeys keys_;
  Metrics metrics_;
};

}  // namespace davit::controller::api

#endif  // DAVIT_CONTROLLER_API_API_SERVER_H_
