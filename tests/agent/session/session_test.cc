#include "agent/session/session.h"

#include "base/ids.h"
#include "tests/agent/session/session_fixture.h"

namespace davit::session {
namespace {

using test::MakeAssignment;
using test::SessionFixture;
using Message = v1::AgentMessage;

TEST_CASE("the first message of a connection is Hello, which describes the host", "[session]") {
  SessionFixture agent;
  agent.Dial();
  REQUIRE(agent.transport->sent.size() == 1);
  REQUIRE(agent.transport->sent[0].has_hello());
  const v1::Hello& hello = agent.transport->sent[0].hello();
  CHECK(agent.transport->sent[0].session_id().empty());
  CHECK(hello.cluster() == "default");
  CHECK(hello.ec2_instance_id() == "i-1");
  CHECK(hello.agent_instance_id() == "process-1");
  CHECK(hello.runtime_available());
  CHECK(hello.container_instance_arn().empty());
  CHECK(hello.last_controller_epoch() == 0);
  CHECK_FALSE(agent.session->state().connected);
}

TEST_CASE("Hello says when containerd is unreachable", "[session]") {
  SessionFixture agent;
  agent.host.runtime.SetReachable(false);
  agent.host.Pass(absl::Seconds(1));
  agent.Dial();
  CHECK_FALSE(agent.transport->sent[0].hello().runtime_available());
}

TEST_CASE("a Welcome is stored, and the next Hello shows it, also after a restart", "[session]") {
  SessionFixture agent;
  agent.Dial();
  agent.Welcome(/*epoch=*/7);
  CHECK(agent.session->state().connected);
  CHECK(agent.session->state().controller == "controller:51680");
  CHECK(agent.session->state().connections == 1);
  const v1::RegistrationRecord stored = agent.host.store.Load()->registration;
  CHECK(stored.container_instance_arn() == "arn:aws:ecs:r:a:container-instance/c/1");
  CHECK(stored.controller_epoch() == 7);
  CHECK(stored.cluster() == "default");
  CHECK(stored.ec2_instance_id() == "i-1");
  const bool restarts = GENERATE(false, true);
  if (restarts) {
    agent.StopAgent();
    agent.StartAgent();
  } else {
    agent.Disconnect();
  }
  agent.Dial();
  CHECK(agent.transport->sent[0].hello().container_instance_arn() ==
        stored.container_instance_arn());
  CHECK(agent.transport->sent[0].hello().last_controller_epoch() == 7);
}

TEST_CASE("an epoch that no controller can have had is forgotten", "[session]") {
  SessionFixture agent;
  agent.Dial();
  agent.Welcome(/*epoch=*/~uint64_t{1});
  agent.Disconnect();
  agent.Dial();
  agent.Welcome(/*epoch=*/1'800'000'000);
  CHECK(agent.session->state().connected);
  CHECK(agent.host.store.Load()->registration.controller_epoch() == 1'800'000'000);
}

TEST_CASE("a controller of a lower epoch than one seen before is refused", "[session]") {
  SessionFixture agent;
  agent.Dial();
  agent.Welcome(/*epoch=*/7);
  agent.Disconnect();
  agent.Dial();
  agent.Welcome(/*epoch=*/6);
  CHECK(agent.transport->is_closed);
  CHECK_FALSE(agent.session->state().connected);
  CHECK_THAT(agent.session->state().last_error,
             Catch::Contains("epoch 6") && Catch::Contains("epoch 7"));
  CHECK(agent.host.store.Load()->registration.controller_epoch() == 7);
  agent.Assign({MakeAssignment(1)});
  CHECK_FALSE(agent.IsRunning(MakeAssignment(1)));
  CHECK(agent.transport->sent.size() == 1);
}

TEST_CASE("incremental sets are applied in sequence", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)}, 10);
  agent.Assign({MakeAssignment(2)}, 11, 10);
  agent.Assign({test::Stopped(MakeAssignment(1))}, 12, 11);
  agent.host.Pass(absl::Minutes(1));
  CHECK_FALSE(agent.IsRunning(MakeAssignment(1)));
  CHECK(agent.IsRunning(MakeAssignment(2)));
  CHECK(agent.Sent(Message::kResyncRequest).empty());
}

TEST_CASE("a set after a gap is not applied, and a complete set is requested", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)}, 10);
  agent.Assign({test::Stopped(MakeAssignment(1))}, 13, 12);
  CHECK(agent.IsRunning(MakeAssignment(1)));
  const auto requests = agent.Sent(Message::kResyncRequest);
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].resync_request().last_results_in() == 10);
  CHECK(requests[0].session_id() == "s1");
  // A later set of the chain does not help: one before it is missing.
  agent.Assign({MakeAssignment(2)}, 11, 10);
  CHECK_FALSE(agent.IsRunning(MakeAssignment(2)));
  agent.Assign({MakeAssignment(1), MakeAssignment(2)}, 20);
  CHECK(agent.IsRunning(MakeAssignment(2)));
}

TEST_CASE("a new connection begins with a complete set", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)}, 10);
  agent.Disconnect();
  agent.Connect();
  agent.Assign({MakeAssignment(2)}, 11, 10);
  CHECK_FALSE(agent.IsRunning(MakeAssignment(2)));
  CHECK(agent.Sent(Message::kResyncRequest).size() == 1);
}

TEST_CASE("a set received twice changes nothing", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)}, 10);
  agent.Assign({MakeAssignment(1)}, 10);
  CHECK(agent.host.runtime.List()->size() == 1);
  CHECK(agent.Told(MakeAssignment(1)).last_status() == v1::TaskStatus::RUNNING);
}

TEST_CASE("tasks that a complete set lacks are proposed, and run until the stop is confirmed",
          "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1), MakeAssignment(2)}, 10);
  agent.Assign({MakeAssignment(1)}, 11);
  const auto candidates = agent.Sent(Message::kStopCandidates);
  REQUIRE(candidates.size() == 1);
  CHECK(candidates[0].stop_candidates().of_set() == 11);
  REQUIRE(candidates[0].stop_candidates().task_arns_size() == 1);
  CHECK(candidates[0].stop_candidates().task_arns(0) == MakeAssignment(2).task_arn());
  agent.host.Pass(absl::Hours(24));
  CHECK(agent.IsRunning(MakeAssignment(2)));

  v1::ControllerMessage confirmation;
  confirmation.mutable_stop_confirmation()->add_task_arns(MakeAssignment(2).task_arn());
  confirmation.mutable_stop_confirmation()->set_reason("unknown task");
  if (agent.transport->is_closed) agent.Connect();  // a day without heartbeat answers
  agent.Receive(confirmation);
  agent.host.Pass(absl::Seconds(1));
  CHECK_FALSE(agent.IsRunning(MakeAssignment(2)));
  CHECK(agent.IsRunning(MakeAssignment(1)));
  CHECK(agent.Told(MakeAssignment(2)).stopped_reason() == "unknown task");
}

TEST_CASE("a running orphan is proposed even if the set came before the first inventory",
          "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)});
  agent.StopAgent();
  agent.host.store.RemoveTask(ShortId(MakeAssignment(1).task_arn()));
  agent.host.runtime.SetReachable(false);
  agent.StartAgent();
  agent.Connect();
  agent.Assign({}, 1);
  agent.Assign({MakeAssignment(2)}, 2, 1);
  CHECK(agent.Sent(Message::kStopCandidates).empty());
  agent.host.runtime.SetReachable(true);
  agent.host.Pass(absl::Seconds(10));
  const auto candidates = agent.Sent(Message::kStopCandidates);
  REQUIRE(candidates.size() == 1);
  CHECK(candidates[0].stop_candidates().of_set() == 2);
  REQUIRE(candidates[0].stop_candidates().task_arns_size() == 1);
  CHECK(candidates[0].stop_candidates().task_arns(0) == MakeAssignment(1).task_arn());
}

TEST_CASE("an orphan found by a later inventory is proposed too", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)});
  // The creation that an earlier agent started ends only now.
  const v1::Assignment stranger = MakeAssignment(2);
  runtime::ContainerSpec late;
  late.id = test::ContainerId(stranger);
  late.lease = "late";
  late.labels = {{"davit.task-arn", stranger.task_arn()}, {"davit.agent", "agent-1"}};
  REQUIRE(agent.host.runtime.CreateLease(late.lease, {}).ok());
  REQUIRE(agent.host.runtime.PrepareRootfs(late.id, late.lease, "chain").ok());
  REQUIRE(agent.host.runtime.Create(late).ok());
  REQUIRE(agent.host.runtime.Start(late.id).ok());
  for (uint64_t beat = 1; beat < 60; ++beat) {  // five minutes
    agent.host.Pass(absl::Seconds(5));
    agent.AckHeartbeat(beat);
  }
  const auto candidates = agent.Sent(Message::kStopCandidates);
  REQUIRE(candidates.size() == 1);
  REQUIRE(candidates[0].stop_candidates().task_arns_size() == 1);
  CHECK(candidates[0].stop_candidates().task_arns(0) == stranger.task_arn());
  CHECK(agent.IsRunning(stranger));
}

TEST_CASE("a controller that lost its store stops nothing", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1), MakeAssignment(2)}, 10);
  agent.Disconnect();
  agent.Connect();
  agent.Assign({}, 1);
  CHECK(agent.Sent(Message::kStopCandidates).at(0).stop_candidates().task_arns_size() == 2);
  agent.host.Pass(absl::Hours(1));
  CHECK(agent.IsRunning(MakeAssignment(1)));
  CHECK(agent.IsRunning(MakeAssignment(2)));
}

TEST_CASE("an incremental set proposes nothing, even if it is empty", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)}, 10);
  agent.Assign({MakeAssignment(2)}, 11, 10);
  CHECK(agent.Sent(Message::kStopCandidates).empty());
}

TEST_CASE("a message of another session ends the stream and does nothing", "[session]") {
  SessionFixture agent;
  agent.Connect();
  v1::ControllerMessage message;
  *message.mutable_assignment_set()->add_assignments() = MakeAssignment(1);
  agent.Receive(message, "s0");
  CHECK(agent.transport->is_closed);
  CHECK_FALSE(agent.session->state().connected);
  CHECK_THAT(agent.session->state().last_error, Catch::Contains("'s0'") && Catch::Contains("'s1'"));
  agent.Receive(message, "s1");  // behind it on the same stream
  agent.host.Pass(absl::Seconds(1));
  CHECK_FALSE(agent.IsRunning(MakeAssignment(1)));
}

TEST_CASE("a message before the Welcome ends the stream", "[session]") {
  SessionFixture agent;
  agent.Dial();
  agent.Assign({MakeAssignment(1)});
  CHECK(agent.transport->is_closed);
  CHECK_FALSE(agent.IsRunning(MakeAssignment(1)));
}

TEST_CASE("late messages of an old connection are ignored", "[session]") {
  SessionFixture agent;
  agent.Connect();
  const auto old = agent.transport;
  agent.Disconnect();
  agent.Connect();
  v1::ControllerMessage message;
  message.set_session_id("s1");
  *message.mutable_assignment_set()->add_assignments() = MakeAssignment(1);
  agent.session->OnMessage(old, message);
  agent.host.Pass(absl::Seconds(1));
  CHECK_FALSE(agent.IsRunning(MakeAssignment(1)));
  CHECK(agent.session->state().connected);
  CHECK_FALSE(agent.transport->is_closed);
}

TEST_CASE("after each kind of Goodbye the stream ends, and the reason is kept", "[session]") {
  using Row = std::pair<v1::Goodbye::Code, bool>;  // dial again soon
  const auto [code, is_good] =
      GENERATE(Row{v1::Goodbye::SUPERSEDED, false}, Row{v1::Goodbye::REFUSED, false},
               Row{v1::Goodbye::SHUTTING_DOWN, true}, Row{v1::Goodbye::STALE, true},
               Row{v1::Goodbye::UNSPECIFIED, false});
  SessionFixture agent;
  agent.Connect();
  agent.host.Pass(absl::Seconds(15));
  v1::ControllerMessage message;
  message.mutable_goodbye()->set_code(code);
  message.mutable_goodbye()->set_reason("words of the controller");
  agent.Receive(message);
  CHECK(agent.transport->is_closed);
  CHECK_FALSE(agent.session->state().connected);
  CHECK(agent.session->TakeBackoffReset() == is_good);
  CHECK_FALSE(agent.session->TakeBackoffReset());
  agent.Disconnect("CANCELLED");
  CHECK_THAT(agent.session->state().last_error, Catch::Contains("words of the controller") &&
                                                    Catch::Contains(v1::Goodbye::Code_Name(code)));
}

TEST_CASE("a lost connection says why", "[session]") {
  SessionFixture agent;
  CHECK_FALSE(agent.session->state().last_error.empty());
  agent.Connect();
  CHECK(agent.session->state().last_error.empty());
  agent.Disconnect("connection reset");
  CHECK_FALSE(agent.session->state().connected);
  CHECK(agent.session->state().last_error == "connection reset");
}

TEST_CASE("agents back off from a controller that ends sessions soon after their Welcome",
          "[session]") {
  SessionFixture agent;
  SECTION("never welcomed") {
    agent.Dial();
    agent.host.Pass(absl::Seconds(15));
  }
  SECTION("a short session") {
    agent.Connect();
    agent.host.Pass(absl::Seconds(14));
  }
  SECTION("a short session, ended because the controller's store failed") {
    agent.Connect();
    v1::ControllerMessage message;
    message.mutable_goodbye()->set_code(v1::Goodbye::STALE);
    agent.Receive(message);
  }
  agent.Disconnect();
  CHECK_FALSE(agent.session->TakeBackoffReset());
  agent.Connect();
  agent.host.Pass(absl::Seconds(15));
  agent.Disconnect();
  CHECK(agent.session->TakeBackoffReset());
}

TEST_CASE("an old assignment set that is received again changes nothing", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)}, 1);
  agent.Assign({MakeAssignment(2)}, 2, 1);
  REQUIRE(agent.IsRunning(MakeAssignment(2)));
  agent.Assign({MakeAssignment(3)}, 1);
  CHECK_FALSE(agent.IsRunning(MakeAssignment(3)));
  agent.Assign({MakeAssignment(4)}, 3, 2);
  CHECK(agent.IsRunning(MakeAssignment(4)));
}

TEST_CASE("the loss of a connection leaves the tasks alone", "[session]") {
  SessionFixture agent;
  agent.Connect();
  agent.Assign({MakeAssignment(1)});
  agent.Disconnect();
  agent.host.Pass(absl::Hours(100));
  CHECK(agent.IsRunning(MakeAssignment(1)));
}

}  // namespace
}  // namespace davit::session
