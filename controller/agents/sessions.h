#ifndef DAVIT_CONTROLLER_AGENTS_SESSIONS_H_
#define DAVIT_CONTROLLER_AGENTS_SESSIONS_H_

#include <string>

#include "controller/change/change.h"

namespace davit::controller::agents {

// The beginning and the end of sessions (proto/davit/v1/agent.proto).

// How long an agent waits before its next heartbeat: all agents together send at most 200 a second,
// and no agent more than one in five seconds. +-10 %, so that agents that were started together
// drift apart; the jitter is computed from the agent's id and the heartbeat's number, because
// operations have no randomness.
absl::Duration HeartbeatPeriod(size_t agents, const std::string& instance_id, uint64_t sequence);

// The agent of this instance has just begun a session.
void NoteConnected(const state::Instance& instance, change::Change* change);
// A message came from it: restarts the timer that ends silent sessions.
void NoteAlive(const state::Instance& instance, change::Change* change);
// Ends the session of a connected instance in the state; the stream is not touched.
void Disconnect(const state::Instance& instance, absl::string_view why, change::Change* change);

}  // namespace davit::controller::agents

#endif  // DAVIT_CONTROLLER_AGENTS_SESSIONS_H_
