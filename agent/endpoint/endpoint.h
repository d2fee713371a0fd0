#ifndef DAVIT_AGENT_ENDPOINT_ENDPOINT_H_
#define DAVIT_AGENT_ENDPOINT_ENDPOINT_H_

#include <atomic>
#include <string>

#include "agent/endpoint/metrics.h"
#include "base/http_server.h"

namespace davit::endpoint {

// The agent's HTTP interface on loopback, for GET and HEAD:
//
//   /healthz      200 {"status":"ok"}, or 503 with what is wrong. A missing controller is not.
//   /metrics      Prometheus
//   /v1/metadata  ECS introspection: Cluster, ContainerInstanceArn, Version
//   /v1/tasks     ECS introspection: Tasks[]; ?taskarn= or ?dockerid= (RuntimeId): one of them
//
// Thread-safe. Handle() never waits for the supervisor: /metrics and /v1/tasks do that on
// `renderers`, so that /healthz and /v1/metadata answer whatever hangs. When too many of them wait
// already, more are answered 503 at once; a late one is answered 503 by the HTTP server.
class Endpoint {
 public:
  // `renderers` is borrowed; waiting for the supervisor and reading cgroups block it.
  Endpoint(MetricSources sources, std::string cluster, Executor* renderers)
      : sources_(std::move(sources)), cluster_(std::move(cluster)), renderers_(renderers) {}
  void Handle(const HttpServerRequest& request, HttpResponder respond);

 private:
  using Render = HttpServerResponse (Endpoint::*)(const HttpServerRequest&) const;

  // Answers with what `render` makes, on renderers_.
  void RespondLater(const HttpServerRequest& request, Render render, HttpResponder respond);
  HttpServerResponse Metrics(const HttpServerRequest& request) const;
  HttpServerResponse Health() const;
  HttpServerResponse Metadata() const;
  HttpServerResponse Tasks(const HttpServerRequest& request) const;

  const MetricSources sources_;
  const std::string cluster_;
  Executor* const renderers_;
  std::atomic<int> waiting_{0};  // answers that are being rendered or wait for it
};

// What is wrong with the host now; empty: nothing.
std::string ImpairmentOf(const supervisor::Supervisor& supervisor, const store::Store& store);

}  // namespace davit::endpoint

#endif  // DAVIT_AGENT_ENDPOINT_ENDPOINT_H_
