#ifndef DAVIT_CONTROLLER_GATEWAY_AGENT_STREAM_H_
#define DAVIT_CONTROLLER_GATEWAY_AGENT_STREAM_H_

#include <memory>
#include <string>

#include "base/mutex.h"
#include "controller/loop/agent_sessions.h"
#include "controller/loop/assignment_queue.h"
#include "davit/v1/agent.grpc.pb.h"

namespace davit::controller::gateway {

// One agent's stream, on gRPC's callback threads: it moves messages between the stream and
// AgentSessions and decides nothing. One read and one write are in flight at a time; the next
// message is read when the loop has carried out the one before it, so that an agent costs one
// message, however fast it sends and however slow the disk is. Owns itself: gone after OnDone().
class AgentStream final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage> {
 public:
  // `sessions` is borrowed, until the gRPC server has been shut down.
  // `bound_host`: see controller/agents/agents.h.
  static AgentStream* Start(loop::AgentSessions* sessions, std::string bound_host);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // What the sessions hold: it may outlive the stream, and then drops what it is given.
  class Sink;

  explicit AgentStream(loop::AgentSessions* sessions) : sessions_(sessions) {}
  void Queue(v1::ControllerMessage message);
  void Queue(const std::string& session_id, change::Assignments assignments);
  void QueueEnd();
  void Flush();
  void ReadNext();
  void StartNextWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FinishOnce(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  loop::AgentSessions* const sessions_;
  std::shared_ptr<Sink> sink_;  // constant after Start()
  std::string session_id_;      // constant after Start()
  v1::AgentMessage incoming_;   // belongs to the read in flight

  Mutex mu_;
  loop::AssignmentQueue queue_ ABSL_GUARDED_BY(mu_);
  v1::ControllerMessage outgoing_ ABSL_GUARDED_BY(mu_);  // belongs to the write in flight
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_ending_ ABSL_GUARDED_BY(mu_) = false;    // finish once the queue is empty
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;  // Finish() was called
};

}  // namespace davit::controller::gateway

#endif  // DAVIT_CONTROLLER_GATEWAY_AGENT_STREAM_H_
