#ifndef DAVIT_AGENT_CONTAINERD_CLIENT_H_
#define DAVIT_AGENT_CONTAINERD_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace davit::containerd {

// True of an error that began with containerd not answering (gone, or past a deadline), whatever
// the layers between have added to it: it says nothing about what was asked for.
bool IsNoAnswer(const absl::Status& status);

struct ClientOptions {
  std::string address = "/run/containerd/containerd.sock";  // a unix socket's absolute path
  std::string containerd_namespace = "davit";               // all calls see this one only
  absl::Duration call_timeout = absl::Seconds(10);          // where CallOptions::timeout is unset
  absl::Duration event_silence = absl::Seconds(15);         // then the event stream is probed
};

// What every typed call takes besides its own arguments.
struct CallOptions {
  std::string lease;                              // what the call makes is held by it; empty: none
  absl::Duration timeout = absl::ZeroDuration();  // unset: ClientOptions::call_timeout
};

// The connection to one containerd: a channel to its socket that the typed classes beside this one
// (Containers, Tasks, Snapshots, ...) share. It connects at the first call and reconnects by
// itself. Thread-safe. It outlives the typed classes that were built on it.
//
// Rules for all typed classes here: each call blocks until containerd answers or its deadline
// passes, so use them from pools. Codes are gRPC's own: Unavailable, containerd cannot be reached;
// DeadlineExceeded; NotFound; AlreadyExists; FailedPrecondition; InvalidArgument; Unknown, an error
// that containerd passes on from a shim or runc in that one's words. Nothing is retried and no
// policy is applied. No gRPC header is needed to use them.
class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // containerd's version, e.g. "1.6.20".
  absl::StatusOr<std::string> Version();
  // Whether the channel is up now, as far as was noticed: never blocks, does not try to connect.
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
