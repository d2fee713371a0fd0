#ifndef DAVIT_CONTROLLER_GATEWAY_GATEWAY_SERVER_H_
#define DAVIT_CONTROLLER_GATEWAY_GATEWAY_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/loop/agent_sessions.h"

namespace davit::controller::gateway {

struct GatewayOptions {
  std::string address = "127.0.0.1";
  int port = 51680;  // 0: any free one
  // PEM files. With all three, agents must show a certificate of that CA. With none, the gateway is
  // without protection.
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
};

// Listens for agents. Thread-safe.
class GatewayServer {
 public:
  // FailedPrecondition: the address cannot be bound. InvalidArgument, NotFound, PermissionDenied:
  // the certificate files. `sessions` is borrowed and outlives this.
  static absl::StatusOr<std::unique_ptr<GatewayServer>> Start(const GatewayOptions& options,
                                                              loop::AgentSessions* sessions);
  // Lets streams end for up to `grace`, then cuts them. No call reaches `sessions` afterwards.
  // Idempotent; blocks.
  void Stop(absl::Duration grace);
  ~GatewayServer();
  int port() const;

 private:
  struct Impl;
  explicit GatewayServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace davit::controller::gateway

#endif  // DAVIT_CONTROLLER_GATEWAY_GATEWAY_SERVER_H_
