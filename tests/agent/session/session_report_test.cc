// Reports and heartbeats of a session.
#include "agent/session/session.h"
#include "tests/agent/session/session_fixture.h"

namespace davit::session {
namespace {

using test::ContainerId;
using test::MakeAssignment;
using test::SessionFixture;
using Message = v1::AgentMessage;

uint64_t LastReport(const SessionFixture& agent) {
  return agent.Sent(Message::kStatusReport).back().status_report().report_id();
}

TEST_CASE("states of tasks are reported, each with a higher sequence", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)});
  uint64_t before = 0;
  for (const v1::AgentMessage& message : agent.Sent(Message::kStatusReport)) {
    CHECK(message.session_id() == "s1");
    for (const v1::TaskState& state : message.status_report().tasks()) {
      CHECK(state.sequence() > before);
      before = state.sequence();
    }
  }
  CHECK(agent.Told(MakeAssignment(1)).last_status() == v1::TaskStatus::RUNNING);
}

TEST_CASE("while all reports are in flight, the latest state per task waits", "[session]") {
  SessionFixture agent;
  agent.Connect();
  v1::TaskState state;
  state.set_task_arn("arn");
  for (uint64_t i = 1; i <= 50; ++i) {
    state.set_sequence(i);
    agent.session->Report(state);
    agent.host.executor.RunAll();
  }
  const auto under_way = agent.Sent(Message::kStatusReport);
  REQUIRE(under_way.size() == ReportQueue::kMaxInFlight);
  agent.AckReport(under_way.front().status_report().report_id());
  const auto after = agent.Sent(Message::kStatusReport);
  REQUIRE(after.size() == under_way.size() + 1);
  REQUIRE(after.back().status_report().tasks_size() == 1);
  CHECK(after.back().status_report().tasks(0).sequence() == 50);
}

TEST_CASE(
    "a terminal state is reported again after each reconnect and restart, until it is acknowledged",
    "[session]") {
  SessionFixture agent;
  const v1::Assignment task = MakeAssignment(1);
  agent.Connect();
  agent.Assign({task});
  agent.host.runtime.Exit(ContainerId(task), 3);
  agent.host.Pass(absl::Seconds(1));
  CHECK(agent.Told(task).last_status() == v1::TaskStatus::STOPPED);
  agent.Disconnect();
  agent.Connect();
  agent.host.Pass(absl::Seconds(1));
  CHECK(agent.Told(task).last_status() == v1::TaskStatus::STOPPED);
  agent.StopAgent();
  agent.StartAgent();
  agent.Connect();
  agent.host.Pass(absl::Seconds(1));
  CHECK(agent.Told(task).last_status() == v1::TaskStatus::STOPPED);
  CHECK(agent.Told(task).containers(0).exit_code() == 3);
  agent.AckReport(LastReport(agent));
  CHECK(agent.host.store.Load()->tasks.at(0).terminal_acked());
  agent.StopAgent();
  agent.StartAgent();
  agent.Connect();
  agent.host.Pass(absl::Seconds(1));
  CHECK(agent.Told(task).task_arn().empty());
}

TEST_CASE("a terminal state is not reported before it is durable", "[session]") {
  SessionFixture agent;
  const v1::Assignment task = MakeAssignment(1);
  agent.Connect();
  agent.Assign({task});
  agent.host.store.Hold(true);
  agent.host.runtime.Exit(ContainerId(task), 3);
  agent.host.Pass(absl::Minutes(1));
  CHECK(agent.Told(task).last_status() != v1::TaskStatus::STOPPED);
  agent.Disconnect();  // heartbeats went unanswered for a minute
  agent.Connect();
  agent.host.Pass(absl::Seconds(1));
  CHECK(agent.Told(task).last_status() != v1::TaskStatus::STOPPED);
  agent.host.store.Hold(false);
  agent.host.Pass(absl::Seconds(10));
  CHECK(agent.Told(task).last_status() == v1::TaskStatus::STOPPED);
}

TEST_CASE("changes without a session are reported in the next one", "[session]") {
  SessionFixture agent;
  const v1::Assignment task = MakeAssignment(1);
  agent.Connect();
  agent.Assign({task});
  agent.Disconnect();
  agent.host.runtime.Exit(ContainerId(task), 0);
  agent.host.Pass(absl::Seconds(1));
  agent.Dial();
  CHECK(agent.Sent(Message::kStatusReport).empty());  // not before the Welcome
  agent.Welcome();
  agent.host.Pass(absl::Milliseconds(100));
  CHECK(agent.Told(task).last_status() == v1::TaskStatus::STOPPED);
}

TEST_CASE("an acknowledgement of another connection's report is ignored", "[session]") {
  SessionFixture agent;
  const v1::Assignment task = MakeAssignment(1);
  agent.Connect();
  agent.Assign({task});
  agent.host.runtime.Exit(ContainerId(task), 0);
  agent.host.Pass(absl::Seconds(1));
  agent.AckReport(LastReport(agent) + 100);
  CHECK_FALSE(agent.host.store.Load()->tasks.at(0).terminal_acked());
}

TEST_CASE("the first heartbeat follows the Welcome's period, the next ones the acknowledgement's",
          "[session]") {
  SessionFixture agent;
  agent.Dial();
  agent.Welcome(1, 7000);
  agent.host.Pass(absl::Milliseconds(6900));
  CHECK(agent.Heartbeats() == 0);
  agent.host.Pass(absl::Milliseconds(100));
  REQUIRE(agent.Heartbeats() == 1);
  CHECK(agent.Sent(Message::kHeartbeat)[0].heartbeat().sequence() == 1);
  agent.AckHeartbeat(1, 25000);
  agent.host.Pass(absl::Milliseconds(24900));
  CHECK(agent.Heartbeats() == 1);
  agent.host.Pass(absl::Milliseconds(100));
  CHECK(agent.Heartbeats() == 2);
}

TEST_CASE("heartbeats report what is wrong with the host", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.impairment = "state cannot be stored: disk full";
  agent.host.Pass(absl::Seconds(5));
  const v1::Heartbeat heartbeat = agent.Sent(Message::kHeartbeat).at(0).heartbeat();
  CHECK(heartbeat.impairment() == "state cannot be stored: disk full");
  CHECK(heartbeat.runtime_available());
}

TEST_CASE("three unacknowledged heartbeats end the connection", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.host.Pass(absl::Seconds(15));
  CHECK(agent.Heartbeats() == 3);
  CHECK_FALSE(agent.transport->is_closed);
  agent.host.Pass(absl::Seconds(5));
  CHECK(agent.transport->is_closed);
  CHECK_THAT(agent.session->state().last_error, Catch::Contains("heartbeats"));
}

TEST_CASE("an acknowledgement in time keeps the connection", "[session]") {
  SessionFixture agent;
  agent.Connect();
  for (uint64_t round = 1; round <= 100; ++round) {
    agent.host.Pass(absl::Seconds(5));
    agent.host.Pass(absl::Seconds(4));  // late, but before the next is due
    agent.AckHeartbeat(round);
  }
  CHECK_FALSE(agent.transport->is_closed);
  CHECK(agent.Heartbeats() == 100);
}

TEST_CASE("changes of containerd's availability are reported at once, however often", "[session]") {
  SessionFixture agent;
  agent.Connect();
  for (int i = 0; i < 6; ++i) {
    agent.host.runtime.SetReachable(i % 2 != 0);
    agent.host.Pass(absl::Milliseconds(10));
  }
  const auto heartbeats = agent.Sent(Message::kHeartbeat);
  REQUIRE(heartbeats.size() == 6);
  CHECK_FALSE(heartbeats[4].heartbeat().runtime_available());
  CHECK(heartbeats[5].heartbeat().runtime_available());
  CHECK_FALSE(agent.transport->is_closed);
}

}  // namespace
}  // namespace davit::session
