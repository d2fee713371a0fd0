#ifndef DAVIT_CONTROLLER_API_METRICS_H_
#define DAVIT_CONTROLLER_API_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

#include "absl/time/time.h"
#include "base/http_server.h"
#include "controller/loop/loop.h"

namespace davit::controller::api {

// The controller's Prometheus metrics. Thread-safe.
class Metrics {
 public:
  Metrics(const loop::Loop* loop, const HttpServerCounters* http);

  // One API request. `operation` is a known operation's name, or "unknown"; `code` is "OK" or the
  // exception's name: both are bounded.
  void CountRequest(const std::string& operation, const std::string& code, absl::Duration duration);
  // Everything, in Prometheus's text format. Does not wait for the loop.
  std::string Serialize();

 private:
  const loop::Loop* const loop_;
  const HttpServerCounters* const http_;
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& latency_;
};

}  // namespace davit::controller::api

#endif  // DAVIT_CONTROLLER_API_METRICS_H_
