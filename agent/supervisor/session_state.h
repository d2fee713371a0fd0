#ifndef DAVIT_AGENT_SUPERVISOR_SESSION_STATE_H_
#define DAVIT_AGENT_SUPERVISOR_SESSION_STATE_H_

#include <cstdint>
#include <string>

namespace davit::supervisor {

// The state of the connection to the controller, for people.
struct SessionState {
  bool connected = false;  // a Welcome was received
  std::string controller;  // address of the current or last endpoint
  std::string container_instance_arn;
  std::string last_error;    // why there is no connection
  uint64_t connections = 0;  // Welcomes since start
  friend bool operator==(const SessionState&, const SessionState&) = default;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_SESSION_STATE_H_
