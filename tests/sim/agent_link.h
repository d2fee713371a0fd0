#ifndef DAVIT_TESTS_SIM_AGENT_LINK_H_
#define DAVIT_TESTS_SIM_AGENT_LINK_H_

#include <memory>
#include <string>

#include "agent/session/session.h"
#include "base/backoff.h"
#include "tests/sim/interference.h"
#include "tests/sim/network.h"
#include "tests/sim/process.h"
#include "tests/sim/witness.h"

namespace davit::sim {

// Keeps a connection to the controller: what session/gateway_client.cc is over gRPC.
// Single-threaded.
class AgentLink {
 public:
  struct Deps {
    Network* network;
    Witness* witness;
    Executor* control;
    Timers* timers;
    session::Session* session;
    Bug bug = Bug::kNone;
  };
  // Borrowed: all of Deps.
  AgentLink(size_t host, const Deps& deps, Random random);
  void Dial();
  // The process has died, and the kernel closes its sockets.
  void Abandon();

 private:
  class Stream;
  void OnEnded(const Stream* stream, const std::string& why);

  const size_t host_;
  const Deps deps_;
  Random random_;
  Backoff backoff_;
  std::shared_ptr<Stream> stream_;  // null between two connections
  bool is_abandoned_ = false;
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_AGENT_LINK_H_
