#ifndef DAVIT_AGENT_ENDPOINT_ENDPOINT_H_
#define DAVIT_AGENT_ENDPOINT_ENDPOINT_H_

#include <string>

#include "agent/endpoint/metrics.h"
#include "base/http_server.h"

namespace davit::endpoint {

// The agent's HTTP interface on loopback:
//   GET /healthz      200 {"status":"ok"}, or 503 with what is wrong; no controller: no fault of
//   ours GET /metrics      Prometheus GET /v1/metadata  ECS introspection: Cluster,
//   ContainerInstanceArn, Version GET /v1/tasks     ECS introspection: Tasks[]; ?taskarn= or
//   ?dockerid= (RuntimeId): one of them
// Thread-safe; handlers run on the HTTP server's threads and wait for the supervisor's mailbox.
class Endpoint {
 public:
  Endpoint(MetricSources sources, std::string cluster)
      : sources_(std::move(sources)), cluster_(std::move(cluster)) {}
  HttpServerResponse Handle(const HttpServerRequest& request) const;

 private:
  HttpServerResponse Health() const;
  HttpServerResponse Metadata() const;
  HttpServerResponse Tasks(const HttpServerRequest& request) const;

  const MetricSources sources_;
  const std::string cluster_;
};

// What is wrong with the host now, in words; empty if nothing.
std::string ImpairmentOf(const supervisor::Supervisor& supervisor, const store::Store& store);

}  // namespace davit::endpoint

#endif  // DAVIT_AGENT_ENDPOINT_ENDPOINT_H_
