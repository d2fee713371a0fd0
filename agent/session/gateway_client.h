#ifndef DAVIT_AGENT_SESSION_GATEWAY_CLIENT_H_
#define DAVIT_AGENT_SESSION_GATEWAY_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/session/session.h"
#include "base/backoff.h"

namespace davit::session {

// Keeps a stream to one of the controllers open until Stop(). Dials the endpoints in turn, with
// full-jitter backoff from 100 ms to 15 s. Thread-safe; the destructor waits until the current
// stream has ended.
class GatewayClient {
 public:
  struct Options {
    std::vector<std::string> endpoints;  // "host:port"
    bool dev = false;                    // true: no TLS
    std::string ca_file;                 // PEM files of mutual TLS
    std::string cert_file;
    std::string key_file;
  };
  // NotFound, PermissionDenied: a TLS file cannot be read.
  static absl::StatusOr<std::unique_ptr<GatewayClient>> Create(const Options& options,
                                                               Executor* control, Timers* timers,
                                                               Session* session);
  ~GatewayClient();
  void Start();
  void Stop();

 private:
  class Stream;
  struct Shared;
  explicit GatewayClient(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  const std::shared_ptr<Shared> shared_;
};

}  // namespace davit::session

#endif  // DAVIT_AGENT_SESSION_GATEWAY_CLIENT_H_
