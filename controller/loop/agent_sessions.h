#ifndef DAVIT_CONTROLLER_LOOP_AGENT_SESSIONS_H_
#define DAVIT_CONTROLLER_LOOP_AGENT_SESSIONS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "controller/loop/loop.h"

namespace davit::controller::loop {

// The sending half of one agent's stream. Thread-safe; calls must not block. What is queued is
// written after Flush().
class AgentSink {
 public:
  virtual ~AgentSink() = default;
  virtual void Queue(v1::ControllerMessage message) = 0;
  virtual void Queue(const std::string& session_id, change::Assignments assignments) = 0;
  // Ends the stream after what was queued before.
  virtual void QueueEnd() = 0;
  virtual void Flush() = 0;
};

// Connects the streams of agents, over gRPC or simulated, with the loop. agents/ implements the
// protocol (agent.proto). Thread-safe; never blocks. Locks are not held while sinks are called.
class AgentSessions final : public EffectListener {
 public:
  // `new_id` gives session ids, never the same twice. Thread-safe. `flusher` runs the sinks'
  // Flush(), which may cost much more than the writer should pay; null: the writer does. Both are
  // borrowed.
  explicit AgentSessions(Loop* loop, Executor* flusher = nullptr,
                         std::function<std::string()> new_id = RandomHex32)
      : loop_(loop), flusher_(flusher), new_id_(std::move(new_id)) {}

  // A new stream: its session id. The sink is kept until Close(). `bound_host`: see
  // agents/agents.h.
  std::string Open(std::shared_ptr<AgentSink> sink, std::string bound_host = "");
  // In the order in which they came. `taken` is called once the loop has carried the message out
  // (or has lost it): a stream that waits for it before it reads on bounds what it costs.
  void Receive(const std::string& session_id, v1::AgentMessage message, Work taken = nullptr);
  // The stream is gone. Idempotent.
  void Close(const std::string& session_id);

  void OnEffect(change::Effect effect) override;
  void Flush() override;
  void OnModelLost() override;

 private:
  struct Stream {
    std::shared_ptr<AgentSink> sink;
    std::string bound_host;
  };
  void Submit(const std::string& session_id, absl::AnyInvocable<void(change::Change*)> command,
              Work taken);
  // Ends a stream whose session, or last message, the controller has lost. On the writer only.
  void EndLost(const std::string& session_id);
  std::shared_ptr<AgentSink> FindSink(const std::string& session_id) const;

  Loop* const loop_;
  Executor* const flusher_;
  const std::function<std::string()> new_id_;
  std::vector<std::shared_ptr<AgentSink>> to_flush_;  // on the writer only; may repeat
  mutable Mutex mu_;
  absl::flat_hash_map<std::string, Stream> streams_ ABSL_GUARDED_BY(mu_);  // by session id
};

}  // namespace davit::controller::loop

#endif  // DAVIT_CONTROLLER_LOOP_AGENT_SESSIONS_H_
