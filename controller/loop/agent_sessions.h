#ifndef DAVIT_CONTROLLER_LOOP_AGENT_SESSIONS_H_
#define DAVIT_CONTROLLER_LOOP_AGENT_SESSIONS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "controller/loop/loop.h"

namespace davit::loop {

// The sending half of one agent's stream. Calls come from the writer and must not block.
class AgentSink {
 public:
  virtual ~AgentSink() = default;
  virtual void Send(v1::ControllerMessage message) = 0;
  // Ends the stream after what was sent.
  virtual void End() = 0;
};

// Connects streams of agents, of whatever kind, with the loop. The protocol itself is the model's
// (agent.proto). Thread-safe; never blocks. Locks are not held while sinks are called.
class AgentSessions final : public EffectListener {
 public:
  // `new_id` gives session ids, never the same twice. Thread-safe.
  explicit AgentSessions(Loop* loop, std::function<std::string()> new_id = RandomHex32)
      : loop_(loop), new_id_(std::move(new_id)) {}

  // A new stream: its session id. The sink is kept until Close().
  std::string Open(std::shared_ptr<AgentSink> sink);
  // In the order in which they came.
  void Receive(const std::string& session_id, v1::AgentMessage message);
  // The stream is gone. Idempotent.
  void Close(const std::string& session_id);

  void OnEffect(const cluster::Effect& effect) override;
  void OnModelReloaded() override;

 private:
  std::shared_ptr<AgentSink> FindSink(const std::string& session_id) const;

  Loop* const loop_;
  const std::function<std::string()> new_id_;
  mutable Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<AgentSink>> sinks_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::loop

#endif  // DAVIT_CONTROLLER_LOOP_AGENT_SESSIONS_H_
