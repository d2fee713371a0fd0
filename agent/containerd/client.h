#ifndef DAVIT_AGENT_CONTAINERD_CLIENT_H_
#define DAVIT_AGENT_CONTAINERD_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace davit::containerd {

// Whether the error began with a containerd that did not answer (gone, or past a deadline),
// whatever layers in between have added. Such an error says nothing about the requested object.
bool IsNoAnswer(const absl::Status& status);

struct ClientOptions {
  std::string address = "/run/containerd/containerd.sock";  // a unix socket's absolute path
  std::string containerd_namespace = "davit";               // the only namespace that calls see
  absl::Duration call_timeout = absl::Seconds(10);          // default of CallOptions::timeout
  absl::Duration event_silence = absl::Seconds(15);  // a silent event stream is probed after this
};

// Options of every typed call.
struct CallOptions {
  std::string lease;                              // protects what the call creates; empty: none
  absl::Duration timeout = absl::ZeroDuration();  // unset: ClientOptions::call_timeout
};

// The connection to one containerd: a channel to its socket, shared by the typed classes of this
// folder (Containers, Tasks, Snapshots, ...). Connects at the first call and reconnects by itself.
// Thread-safe. Must outlive the typed classes that use it. Rules for all typed classes: each call
// blocks until containerd answers or the deadline passes, so call them from pools. Codes are
// gRPC's. Unavailable: containerd is unreachable. Unknown: an error of a shim or runc, in its own
// words. Also DeadlineExceeded, NotFound, AlreadyExists, FailedPrecondition, InvalidArgument. They
// neither retry nor apply any policy. Their users need no gRPC header.
class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // containerd's version: "1.6.20".
  absl::StatusOr<std::string> Version();
  // Whether the channel is up, as far as gRPC has noticed. Never blocks; does not try to connect.
  bool IsConnected() const;
  const ClientOptions& options() const { return options_; }

  struct Connection;  // connection.h: gRPC's side, for this module's own sources
  Connection& connection() { return *connection_; }

 private:
  const ClientOptions options_;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_CLIENT_H_
