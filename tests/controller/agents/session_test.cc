// Registration, sessions and the passing of time (proto/davit/v1/agent.proto).
#include <catch2/catch.hpp>

#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

const state::Cluster& Default(const TestCluster& cluster) {
  return *cluster.model.state().FindCluster("default");
}

v1::Goodbye::Code GoodbyeTo(const std::string& session, const Outcome& outcome) {
  const auto sent = SentTo(session, outcome);
  return sent.empty() ? v1::Goodbye::UNSPECIFIED : sent.back().goodbye().code();
}

TEST_CASE(
    "a first Hello makes the default cluster and an instance, and is welcomed with a COMPLETE set",
    "[agent]") {
  TestCluster cluster;
  const Outcome outcome = cluster.Connect("s1", MakeHello("i-1"));
  const auto sent = SentTo("s1", outcome);
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].session_id() == "s1");
  CHECK(sent[0].welcome().controller_epoch() == static_cast<uint64_t>(kStartSeconds));
  CHECK(sent[0].welcome().container_instance_arn() ==
        "arn:aws:ecs:us-east-1:000000000000:container-instance/default/"
        "00000000000000000000000000000001");
  CHECK(sent[0].welcome().heartbeat_period_ms() >= 4500);
  CHECK(sent[0].welcome().heartbeat_period_ms() <= 5500);
  CHECK(sent[1].assignment_set().type() == v1::AssignmentSet::COMPLETE);
  CHECK(sent[1].assignment_set().assignments().empty());
  CHECK(cluster.rows.count("cluster/default") == 1);
  CHECK(cluster.rows.count("instance/default/00000000000000000000000000000001") == 1);
}

TEST_CASE("only the default cluster is made by an agent", "[agent]") {
  TestCluster cluster;
  v1::Hello hello = MakeHello("i-1");
  hello.set_cluster("blue");
  const Outcome refused = cluster.Connect("s1", hello);
  CHECK(GoodbyeTo("s1", refused) == v1::Goodbye::REFUSED);
  CHECK_THAT(SentTo("s1", refused).back().goodbye().reason(),
             Catch::Contains("'blue' does not exist"));
  CHECK(IsEnded("s1", refused));
  CHECK(refused.mutations.empty());
  v1::CreateClusterRequest create;
  create.set_cluster_name("blue");
  cluster.Apply(create);
  CHECK(SentTo("s2", cluster.Connect("s2", hello))[0].has_welcome());
}

TEST_CASE("a Hello that is not acceptable is refused with the field's name", "[agent]") {
  v1::Hello hello = MakeHello("i-1");
  std::string field;
  SECTION("protocol") {
    hello.set_protocol_version(3);
    field = "protocol_version";
  }
  SECTION("identity") {
    hello.clear_ec2_instance_id();
    field = "ec2_instance_id";
  }
  SECTION("process") {
    hello.clear_agent_instance_id();
    field = "agent_instance_id";
  }
  SECTION("boot") {
    hello.clear_boot_id();
    field = "boot_id";
  }
  SECTION("cluster") {
    hello.set_cluster("a/b");
    field = "cluster";
  }
  SECTION("negative resources") {
    hello.mutable_resources(1)->set_integer_value(-5);
    field = "resources: MEMORY";
  }
  SECTION("repeated resources") {
    *hello.add_resources() = hello.resources(0);
    field = "resources: CPU";
  }
  SECTION("resources") {
    hello.clear_resources();
    field = "resources";
  }
  TestCluster cluster;
  const Outcome outcome = cluster.Connect("s1", hello);
  REQUIRE(GoodbyeTo("s1", outcome) == v1::Goodbye::REFUSED);
  CHECK_THAT(SentTo("s1", outcome).back().goodbye().reason(), Catch::StartsWith(field));
}

TEST_CASE("a certificate that names its host is good for no other", "[agent]") {
  TestCluster cluster;
  cluster.bound_host = "default/i-1";
  CHECK(SentTo("s1", cluster.Connect("s1", MakeHello("i-1")))[0].has_welcome());
  const Outcome refused = cluster.Connect("s2", MakeHello("i-2"));
  CHECK(GoodbyeTo("s2", refused) == v1::Goodbye::REFUSED);
  CHECK_THAT(SentTo("s2", refused)[0].goodbye().reason(),
             Catch::StartsWith("ec2_instance_id") && Catch::Contains("default/i-1"));
  CHECK(refused.mutations.empty());
}

TEST_CASE("an agent of the protocol before this one is served in its own way", "[agent]") {
  TestCluster cluster;
  v1::Hello hello = MakeHello("i-1");
  hello.set_protocol_version(1);
  CHECK(SentTo("s1", cluster.Connect("s1", hello))[0].has_welcome());
  cluster.Register(MakeDefinition("web"));
  v1::RunTaskRequest run;
  run.set_task_definition("web");
  const auto sent = SentTo("s1", cluster.Apply(run));
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].assignment_set().assignments(0).task_definition().family() == "web");
}

TEST_CASE("the same host is the same instance, with or without its ARN", "[agent]") {
  TestCluster cluster;
  const std::string arn =
      SentTo("s1", cluster.Connect("s1", MakeHello("i-1")))[0].welcome().container_instance_arn();
  v1::Hello hello = MakeHello("i-1");
  SECTION("it sends its ARN") { hello.set_container_instance_arn(arn); }
  SECTION("it has lost its ARN") {}
  SECTION("it sends an ARN that nobody knows") {
    hello.set_container_instance_arn("arn:aws:ecs:x:1:container-instance/default/9");
  }
  const Outcome again = cluster.Connect("s2", hello);
  CHECK(SentTo("s2", again)[0].welcome().container_instance_arn() == arn);
  CHECK(again.mutations.empty());
  CHECK(GoodbyeTo("s1", again) == v1::Goodbye::SUPERSEDED);
  CHECK(IsEnded("s1", again));
  CHECK(Default(cluster).instances.size() == 1);
}

TEST_CASE("a cloned disk is another instance", "[agent]") {
  TestCluster cluster;
  const std::string arn =
      SentTo("s1", cluster.Connect("s1", MakeHello("i-1")))[0].welcome().container_instance_arn();
  v1::Hello clone = MakeHello("i-2");
  clone.set_container_instance_arn(arn);
  const Outcome outcome = cluster.Connect("s2", clone);
  CHECK(SentTo("s2", outcome)[0].welcome().container_instance_arn() != arn);
  CHECK_FALSE(IsEnded("s1", outcome));
}

TEST_CASE("a second machine with the identity of a connected one has to wait until that is silent",
          "[agent]") {
  TestCluster cluster;
  v1::Hello hello = MakeHello("i-1");
  hello.set_boot_id("boot-1");
  cluster.Connect("s1", hello);
  hello.set_boot_id("boot-2");
  const Outcome twin = cluster.Connect("s2", hello);
  CHECK(GoodbyeTo("s2", twin) == v1::Goodbye::STALE);
  CHECK_THAT(SentTo("s2", twin)[0].goodbye().reason(), Catch::StartsWith("ec2_instance_id: "));
  CHECK(IsEnded("s2", twin));
  CHECK_FALSE(IsEnded("s1", twin));
  SECTION("another process of the same machine takes over at once") {
    hello.set_boot_id("boot-1");
    CHECK(GoodbyeTo("s1", cluster.Connect("s3", hello)) == v1::Goodbye::SUPERSEDED);
  }
  SECTION("a host that was restarted comes back when its former session is over") {
    cluster.clock.Advance(absl::Seconds(20));
    cluster.Tick();
    CHECK(SentTo("s3", cluster.Connect("s3", hello))[0].has_welcome());
  }
}

TEST_CASE("a registration with other resources changes the instance", "[agent]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  v1::Hello hello = MakeHello("i-1");
  hello.mutable_resources(1)->set_integer_value(4000);
  CHECK(cluster.Connect("s2", hello).mutations.size() == 1);
  CHECK(Default(cluster).instances.begin()->second->host.free_memory_mib == 4000);
}

TEST_CASE("messages of another session end the stream that sent them", "[agent]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  const Outcome stale = cluster.Say("s1", WithSession("s0"));
  CHECK(GoodbyeTo("s1", stale) == v1::Goodbye::STALE);
  CHECK(IsEnded("s1", stale));
  CHECK(Default(cluster).instances.begin()->second->session == nullptr);
  CHECK(GoodbyeTo("s9", cluster.Say("s9", WithSession("s9"))) == v1::Goodbye::STALE);
}

TEST_CASE("a heartbeat is answered with the next period, longer the more agents there are",
          "[agent]") {
  TestCluster cluster;
  for (int i = 0; i < 2000; ++i)
    cluster.Connect(absl::StrCat("s", i), MakeHello(absl::StrCat("i-", i)));
  v1::AgentMessage beat = WithSession("s7");
  beat.mutable_heartbeat()->set_sequence(3);
  beat.mutable_heartbeat()->set_runtime_available(true);
  const auto sent = SentTo("s7", cluster.Say("s7", beat));
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].heartbeat_ack().sequence() == 3);
  CHECK(sent[0].heartbeat_ack().period_ms() >= 9000);
  CHECK(sent[0].heartbeat_ack().period_ms() <= 11000);
}

TEST_CASE("an agent that misses three heartbeats is disconnected; its tasks keep their status",
          "[agent]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  cluster.Register(MakeDefinition("web"));
  const std::string task = cluster.Run("web").tasks(0).task_arn();
  cluster.Report("s1", task, v1::TaskStatus::RUNNING, 1);
  cluster.clock.Advance(absl::Seconds(10));
  CHECK_FALSE(IsEnded("s1", cluster.Tick()));
  cluster.clock.Advance(absl::Seconds(10));
  CHECK(IsEnded("s1", cluster.Tick()));
  const state::Cluster& state = Default(cluster);
  CHECK(state.instances.begin()->second->session == nullptr);
  CHECK(state.running_count == 1);
  // Nothing is placed there meanwhile.
  const v1::RunTaskResponse refused = cluster.Run("web");
  CHECK(refused.tasks().empty());
  CHECK(refused.failures(0).reason() == "AGENT");
}

TEST_CASE("an absence is noted once when the grace period is over", "[agent]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  cluster.EndStream("s1");
  cluster.clock.Advance(absl::Seconds(59));
  CHECK(cluster.Tick().effects.empty());
  cluster.clock.Advance(absl::Seconds(2));
  CHECK(cluster.Tick().effects.size() == 1);
  CHECK(cluster.Tick().effects.empty());
}

TEST_CASE("the end of a superseded stream does not disconnect its successor", "[agent]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  cluster.Connect("s2", MakeHello("i-1"));
  cluster.EndStream("s1");
  CHECK(Default(cluster).instances.begin()->second->session->id == "s2");
}

TEST_CASE("nothing is placed on a host whose container runtime is away", "[agent]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  cluster.Register(MakeDefinition("web"));
  v1::AgentMessage beat = WithSession("s1");
  beat.mutable_heartbeat()->set_runtime_available(false);
  cluster.Say("s1", beat);
  CHECK(cluster.Run("web").failures(0).reason() == "AGENT");
  beat.mutable_heartbeat()->set_runtime_available(true);
  cluster.Say("s1", beat);
  CHECK(cluster.Run("web").tasks_size() == 1);
}

Outcome LoadAgain(TestCluster* cluster) {
  return cluster->Run([](change::Change* change) -> absl::StatusOr<model::Answer> {
    agents::OnLoaded(change);
    return model::Answer();
  });
}

TEST_CASE("the epoch rises with each start, and is no less than the seconds since 1970",
          "[agent]") {
  TestCluster cluster;
  const auto start = static_cast<uint64_t>(kStartSeconds);
  CHECK(cluster.model.state().epoch() == start);
  LoadAgain(&cluster);
  CHECK(cluster.model.state().epoch() == start + 1);
  cluster.clock.Advance(absl::Hours(1));
  LoadAgain(&cluster);
  CHECK(cluster.model.state().epoch() == start + 3600);
  cluster.clock.Jump(-absl::Hours(1000));
  LoadAgain(&cluster);
  CHECK(cluster.model.state().epoch() == start + 3601);
}

TEST_CASE("an agent's word does not move the epoch", "[agent]") {
  TestCluster cluster;
  const uint64_t epoch = cluster.model.state().epoch();
  v1::Hello hello = MakeHello("i-1");
  hello.set_last_controller_epoch(~uint64_t{1});
  CHECK(SentTo("s1", cluster.Connect("s1", hello))[0].welcome().controller_epoch() == epoch);
  CHECK(cluster.model.state().epoch() == epoch);
}

TEST_CASE("after a load every agent has its grace to come back", "[agent]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  TestCluster loaded;
  REQUIRE(loaded.model.state().clusters().empty());
  model::Model model(ModelOptions());
  REQUIRE(model.Load(*rows::DecodeAll(cluster.StoredRows())).ok());
  model::Command begin = [](change::Change* change) -> absl::StatusOr<model::Answer> {
    agents::OnLoaded(change);
    return model::Answer();
  };
  FakeClock& clock = cluster.clock;
  model.Run(&begin, {clock.Now(), clock.Monotonic()});
  clock.Advance(absl::Seconds(59));
  CHECK(model.Tick({clock.Now(), clock.Monotonic()}).effects.empty());
  clock.Advance(absl::Seconds(2));
  CHECK(model.Tick({clock.Now(), clock.Monotonic()}).effects.size() == 1);
}

TEST_CASE("a stream that does not say Hello is ended", "[agent]") {
  TestCluster cluster;
  cluster.Run([](change::Change* change) -> absl::StatusOr<model::Answer> {
    agents::OnStreamBegun("s1", change);
    agents::OnStreamBegun("s2", change);
    return model::Answer();
  });
  cluster.Connect("s2", MakeHello("i-2"));
  cluster.clock.Advance(absl::Seconds(10));
  CHECK_FALSE(IsEnded("s1", cluster.Tick()));
  v1::AgentMessage beat = WithSession("s2");
  beat.mutable_heartbeat()->set_runtime_available(true);
  cluster.Say("s2", beat);
  cluster.clock.Advance(absl::Seconds(10));
  cluster.Say("s2", beat);
  cluster.clock.Advance(absl::Seconds(11));
  const Outcome outcome = cluster.Tick();
  CHECK(IsEnded("s1", outcome));
  CHECK_FALSE(IsEnded("s2", outcome));
}

TEST_CASE("agents are told to dial again when the controller stops", "[agent]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  const Outcome outcome = cluster.Run([](change::Change* change) -> absl::StatusOr<model::Answer> {
    agents::OnStopping(change);
    return model::Answer();
  });
  CHECK(GoodbyeTo("s1", outcome) == v1::Goodbye::SHUTTING_DOWN);
  CHECK(IsEnded("s1", outcome));
}

}  // namespace
}  // namespace davit::test
