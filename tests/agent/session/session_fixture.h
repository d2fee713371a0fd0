#ifndef DAVIT_TESTS_AGENT_SESSION_SESSION_FIXTURE_H_
#define DAVIT_TESTS_AGENT_SESSION_SESSION_FIXTURE_H_

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/session/session.h"
#include "tests/support/fake_host.h"

namespace davit::test {

// The messages that an agent sent on one connection.
class FakeTransport final : public session::Transport {
 public:
  void Send(v1::AgentMessage message) override { sent.push_back(std::move(message)); }
  void Close() override { is_closed = true; }

  std::vector<v1::AgentMessage> sent;
  bool is_closed = false;
};

// A session on a fake host; the test is the controller.
class SessionFixture : public supervisor::ReportSink {
 public:
  explicit SessionFixture(absl::Duration stop_after_disconnect = absl::ZeroDuration())
      : stop_after_disconnect_(stop_after_disconnect) {
    host.report_to = this;
    StartAgent();
  }
  ~SessionFixture() override { StopAgent(); }

  void StartAgent() {
    host.StartAgent();
    v1::Hello hello;
    hello.set_cluster("default");
    hello.set_ec2_instance_id("i-1");
    hello.set_agent_instance_id("process-1");
    const session::Session::Deps deps{&host.executor,
                                      &host.timers,
                                      &host.store,
                                      host.supervisor.get(),
                                      [this] { return impairment; },
                                      &host.clock,
                                      stop_after_disconnect_};
    session = std::make_unique<session::Session>(deps, hello, host.store.Load()->registration);
    host.executor.RunAll();
  }
  void StopAgent() {
    host.StopAgent();
    session = nullptr;
  }

  // supervisor::ReportSink, between the supervisor and the session, which needs it first.
  void Report(v1::TaskState state) override {
    if (session != nullptr) session->Report(std::move(state));
  }
  void HealthChanged() override {
    if (session != nullptr) session->HealthChanged();
  }
  void OrphansFound() override {
    if (session != nullptr) session->OrphansFound();
  }

  void Dial() {
    transport = std::make_shared<FakeTransport>();
    session->OnConnected(transport, "controller:51680");
    host.executor.RunAll();
  }
  void Disconnect(const std::string& why = "connection reset") {
    session->OnDisconnected(why);
    host.executor.RunAll();
  }
  void Receive(v1::ControllerMessage message, const std::string& session_id = "s1") {
    message.set_session_id(session_id);
    session->OnMessage(transport, std::move(message));
    host.executor.RunAll();
  }
  void Welcome(uint64_t epoch = 1, int period_ms = 5000) {
    v1::ControllerMessage message;
    message.mutable_welcome()->set_container_instance_arn("arn:aws:ecs:r:a:container-instance/c/1");
    message.mutable_welcome()->set_controller_epoch(epoch);
    message.mutable_welcome()->set_heartbeat_period_ms(period_ms);
    Receive(std::move(message));
  }
  void Connect() {
    Dial();
    Welcome();
  }
  void Assign(const std::vector<v1::Assignment>& assignments, uint64_t results_in = 1,
              std::optional<uint64_t> applies_to = std::nullopt) {
    v1::ControllerMessage message;
    v1::AssignmentSet* set = message.mutable_assignment_set();
    set->set_type(applies_to ? v1::AssignmentSet::INCREMENTAL : v1::AssignmentSet::COMPLETE);
    set->set_applies_to(applies_to.value_or(0));
    set->set_results_in(results_in);
    for (const v1::Assignment& assignment : assignments) *set->add_assignments() = assignment;
    Receive(std::move(message));
    host.Pass(absl::Milliseconds(100));
  }
  void AckHeartbeat(uint64_t sequence, int period_ms = 5000) {
    v1::ControllerMessage message;
    message.mutable_heartbeat_ack()->set_sequence(sequence);
    message.mutable_heartbeat_ack()->set_period_ms(period_ms);
    Receive(std::move(message));
  }
  void AckReport(uint64_t report_id) {
    v1::ControllerMessage message;
    message.mutable_report_ack()->set_report_id(report_id);
    Receive(std::move(message));
  }

  // The messages of one kind that came on the current connection.
  std::vector<v1::AgentMessage> Sent(v1::AgentMessage::BodyCase kind) const {
    std::vector<v1::AgentMessage> found;
    for (const v1::AgentMessage& message : transport->sent) {
      if (message.body_case() == kind) found.push_back(message);
    }
    return found;
  }
  size_t Heartbeats() const { return Sent(v1::AgentMessage::kHeartbeat).size(); }
  // The latest state of a task that was reported on this connection.
  v1::TaskState Told(const v1::Assignment& assignment) const {
    v1::TaskState state;
    for (const v1::AgentMessage& message : Sent(v1::AgentMessage::kStatusReport)) {
      for (const v1::TaskState& told : message.status_report().tasks()) {
        if (told.task_arn() == assignment.task_arn()) state = told;
      }
    }
    return state;
  }
  bool IsRunning(const v1::Assignment& assignment) {
    const auto container = host.runtime.Inspect(ContainerId(assignment));
    return container.ok() && container->state == runtime::ContainerState::kRunning;
  }

  FakeHost host;
  std::unique_ptr<session::Session> session;
  std::shared_ptr<FakeTransport> transport;
  std::string impairment;

 private:
  const absl::Duration stop_after_disconnect_;
};

inline v1::Assignment Stopped(v1::Assignment assignment) {
  assignment.set_desired_status(v1::TaskStatus::STOPPED);
  assignment.set_stop_reason("enough");
  return assignment;
}

}  // namespace davit::test

#endif  // DAVIT_TESTS_AGENT_SESSION_SESSION_FIXTURE_H_
