#ifndef DAVIT_CONTROLLER_AGENTS_AGENTS_H_
#define DAVIT_CONTROLLER_AGENTS_AGENTS_H_

#include <string>

#include "controller/change/change.h"

namespace davit::controller::agents {

// All that concerns agents and comes from outside, as commands. None of them fails: what is wrong
// with a message ends its stream. `session_id` names the stream, not what the message claims.
// `bound_host` is the host that the certificate of the stream names (CLUSTER/EC2-INSTANCE-ID),
// which no Hello may contradict; empty: it names none.

// The state was loaded from the store: raises the epoch, and gives every agent its grace to return.
void OnLoaded(change::Change* change);
// A stream has begun; it must say Hello soon.
void OnStreamBegun(const std::string& session_id, change::Change* change);
// Something came over an agent's stream.
void OnMessage(const std::string& session_id, const std::string& bound_host,
               const v1::AgentMessage& message, change::Change* change);
// The stream has ended. No more comes from it.
void OnStreamEnded(const std::string& session_id, change::Change* change);
// A deadline has passed.
void OnDue(const change::Deadline& deadline, change::Change* change);
// The controller stops: every agent gets a Goodbye, and dials again.
void OnStopping(change::Change* change);

}  // namespace davit::controller::agents

#endif  // DAVIT_CONTROLLER_AGENTS_AGENTS_H_
