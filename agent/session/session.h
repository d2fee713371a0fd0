#ifndef DAVIT_AGENT_SESSION_SESSION_H_
#define DAVIT_AGENT_SESSION_SESSION_H_

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/session/assignment_reader.h"
#include "agent/session/report_queue.h"
#include "agent/store/store.h"
#include "agent/supervisor/session_state.h"
#include "agent/supervisor/supervisor.h"
#include "base/timers.h"
#include "davit/v1/agent.pb.h"

namespace davit::session {

// One connection to a controller. Thread-safe; no call blocks.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void Send(v1::AgentMessage message) = 0;
  // Ends the connection. Session::OnDisconnected() follows.
  virtual void Close() = 0;
};

// The agent's side of the AgentGateway protocol (proto/davit/v1/agent.proto), over any transport.
// All public calls are thread-safe and do not block; one serial owns the state.
class Session final : public supervisor::ReportSink {
 public:
  struct Deps {
    Executor* control;
    Timers* timers;
    store::Store* store;
    supervisor::Supervisor* supervisor;
    // What is wrong with the host now; empty: nothing.
    std::function<std::string()> impairment;
    const Clock* clock = Clock::Real();
    // Stops all tasks after this long without a session, including the time that the machine
    // sleeps. Each process starts counting at 0. 0: never.
    absl::Duration stop_after_disconnect = absl::ZeroDuration();
  };
  // `hello`: identity and resources of the host. `registration`: the stored result of earlier runs.
  Session(const Deps& deps, v1::Hello hello, v1::RegistrationRecord registration);

  // A connection is up: sends Hello. Forgets an older connection.
  void OnConnected(std::shared_ptr<Transport> transport, const std::string& controller);
  void OnMessage(std::shared_ptr<Transport> transport, v1::ControllerMessage message);
  void OnDisconnected(const std::string& why);
  // Whether the next dial may reset its backoff: the last session was long and the controller did
  // not end it, or the controller announced a restart. Consumes the answer.
  bool TakeBackoffReset();

  void Report(v1::TaskState state) override;
  // Sends a heartbeat now.
  void HealthChanged() override;
  // Proposes their stop, and that of whatever else no set lists.
  void OrphansFound() override;
  supervisor::SessionState state() const;

 private:
  void Handle(const v1::ControllerMessage& message);
  void ForgetImpossibleEpoch(uint64_t offered);
  void HandleWelcome(const std::string& session_id, const v1::Welcome& welcome);
  void HandleAssignments(const v1::AssignmentSet& set);
  void HandleGoodbye(const v1::Goodbye& goodbye);
  void ProposeStops();
  void ScheduleHeartbeat();
  void OnHeartbeatDue();
  void SendHeartbeat();
  void BeginCutOff();
  void CheckCutOff();
  void StopAllTasks();
  void Send(v1::AgentMessage message);
  void SendReports();
  void End(const std::string& why);

  const Deps deps_;
  Serial serial_;
  // Only on serial_.
  v1::Hello hello_;
  v1::RegistrationRecord registration_;
  std::shared_ptr<Transport> transport_;
  std::string session_id_;  // empty: no Welcome yet
  ReportQueue reports_;
  AssignmentReader assignments_;
  uint64_t results_in_ = 0;       // of the last set applied
  std::set<std::string> listed_;  // ARNs of all tasks in the last COMPLETE set and those after it
  bool has_complete_set_ = false;
  bool has_ended_ = false;  // End() was called; OnDisconnected() is still to come
  uint64_t heartbeats_sent_ = 0;
  uint64_t heartbeats_acked_ = 0;
  uint64_t periods_without_answer_ = 0;
  absl::Duration period_ = absl::Seconds(5);     // of heartbeats, as the controller last set it
  uint64_t heartbeat_timer_ = 0;                 // distinguishes the armed timer from late ones
  std::optional<absl::Duration> cut_off_since_;  // by MonotonicWithSleep(); nullopt: in a session
  bool has_stopped_all_ = false;                 // since cut_off_since_
  uint64_t cut_off_timer_ = 0;

  mutable Mutex mu_;
  supervisor::SessionState state_ ABSL_GUARDED_BY(mu_);
  // Monotonic time of the last Welcome; nullopt: none on the last connection, or the controller
  // ended the session.
  std::optional<absl::Duration> welcomed_at_ ABSL_GUARDED_BY(mu_);
  bool is_restarting_ ABSL_GUARDED_BY(mu_) = false;  // the controller announced a restart
};

}  // namespace davit::session

#endif  // DAVIT_AGENT_SESSION_SESSION_H_
