// [controller] stop_after_disconnect
#include "agent/session/session.h"
#include "tests/agent/session/session_fixture.h"

namespace davit::session {
namespace {

using test::MakeAssignment;
using test::SessionFixture;

// An agent with one running task, which is stopped after ten minutes without a controller.
struct LimitedAgent : SessionFixture {
  LimitedAgent() : SessionFixture(absl::Minutes(10)) {
    Connect();
    Assign({task});
    REQUIRE(IsRunning(task));
  }
  const v1::Assignment task = MakeAssignment(1);
};

TEST_CASE("an agent that is disconnected for too long stops its tasks and says why", "[session]") {
  LimitedAgent agent;
  agent.Disconnect();
  agent.host.Pass(absl::Minutes(10) - absl::Seconds(1));
  CHECK(agent.IsRunning(agent.task));
  agent.host.Pass(absl::Seconds(2));
  CHECK_FALSE(agent.IsRunning(agent.task));
  agent.Connect();
  agent.host.Pass(absl::Seconds(1));
  CHECK(agent.Told(agent.task).last_status() == v1::TaskStatus::STOPPED);
  CHECK(agent.Told(agent.task).stopped_reason() ==
        "agent was disconnected from the controller for longer than stop_after_disconnect (10m)");
}

TEST_CASE("failed connections do not restart the count", "[session]") {
  LimitedAgent agent;
  agent.Disconnect();
  for (int i = 0; i < 11; ++i) {
    agent.host.Pass(absl::Minutes(1));
    if (i % 2 == 0) agent.Dial();  // and no Welcome comes
    agent.Disconnect("connection refused");
  }
  CHECK_FALSE(agent.IsRunning(agent.task));
}

TEST_CASE("a session in between restarts the count", "[session]") {
  LimitedAgent agent;
  agent.Disconnect();
  agent.host.Pass(absl::Minutes(9));
  agent.Connect();
  agent.Disconnect();
  agent.host.Pass(absl::Minutes(9));
  CHECK(agent.IsRunning(agent.task));
  agent.host.Pass(absl::Minutes(2));
  CHECK_FALSE(agent.IsRunning(agent.task));
}

TEST_CASE("a controller that acknowledges no heartbeats counts as disconnected", "[session]") {
  LimitedAgent agent;
  agent.host.Pass(absl::Seconds(25));
  REQUIRE(agent.transport->is_closed);
  agent.Disconnect();
  agent.host.Pass(absl::Minutes(11));
  CHECK_FALSE(agent.IsRunning(agent.task));
}

TEST_CASE("time in which the machine sleeps counts", "[session]") {
  LimitedAgent agent;
  agent.Disconnect();
  agent.host.clock.Sleep(absl::Hours(1));
  SECTION("a look at the clock finds it") {
    agent.host.Pass(absl::Seconds(30));
    CHECK_FALSE(agent.IsRunning(agent.task));
  }
  SECTION("a Welcome that comes before that finds it too") {
    agent.Connect();
    agent.host.Pass(absl::Seconds(1));
    CHECK_FALSE(agent.IsRunning(agent.task));
    agent.Assign({MakeAssignment(2)}, 2);
    CHECK(agent.IsRunning(MakeAssignment(2)));  // new tasks are not affected
  }
}

TEST_CASE("a restarted agent restarts the count", "[session]") {
  LimitedAgent agent;
  agent.Disconnect();
  agent.host.Pass(absl::Minutes(9));
  agent.StopAgent();
  agent.StartAgent();
  agent.host.Pass(absl::Minutes(9));
  CHECK(agent.IsRunning(agent.task));
  agent.host.Pass(absl::Minutes(2));
  CHECK_FALSE(agent.IsRunning(agent.task));
}

TEST_CASE("without the setting a disconnected agent runs its tasks for ever", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)});
  agent.Disconnect();
  agent.host.clock.Sleep(absl::Hours(1000));
  agent.host.Pass(absl::Hours(1));
  agent.Connect();
  CHECK(agent.IsRunning(MakeAssignment(1)));
}

}  // namespace
}  // namespace davit::session
