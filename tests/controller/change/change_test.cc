#include "controller/change/change.h"

#include <catch2/catch.hpp>

#include "controller/task/operations.h"
#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

struct Fixture {
  change::Change Begin() {
    return {&state, &options, &deadlines, {clock.Now(), clock.Monotonic()}};
  }
  FakeClock clock;
  change::Options options = ModelOptions();
  change::Deadlines deadlines;
  state::State state{options.place};
};

v1::StoredCluster Named(const std::string& name) {
  v1::StoredCluster cluster;
  cluster.set_name(name);
  return cluster;
}

TEST_CASE("a change is seen by its own reads at once, and kept with Finish()", "[change]") {
  Fixture test;
  change::Change change = test.Begin();
  change.Put(Named("blue"));
  CHECK(test.state.FindCluster("blue") != nullptr);
  const auto result = change.Finish();
  REQUIRE(result.mutations.size() == 1);
  CHECK(result.mutations[0].key == "cluster/blue");
  CHECK(test.state.FindCluster("blue") != nullptr);
}

TEST_CASE("a change that is not finished leaves nothing", "[change]") {
  Fixture test;
  {
    change::Change before = test.Begin();
    before.Put(Named("blue"));
    before.Finish();
  }
  {
    change::Change change = test.Begin();
    v1::StoredCluster inactive = Named("blue");
    inactive.set_status(v1::ObjectStatus::INACTIVE);
    change.Put(inactive);
    change.Put(Named("red"));
    change.Erase(Named("blue"));
    change.SetDeadline({change::Deadline::Kind::kAbsence, "blue/1"}, absl::Seconds(1));
    change.AddNote(change::Note::Level::kInfo, "never heard", {});
    CHECK(test.state.FindCluster("blue") == nullptr);
  }
  REQUIRE(test.state.FindCluster("blue") != nullptr);
  CHECK(test.state.FindCluster("blue")->record->status() == v1::ObjectStatus::UNSPECIFIED);
  CHECK(test.state.FindCluster("red") == nullptr);
  CHECK(test.deadlines.size() == 0);
}

TEST_CASE("a command that is refused changes nothing of the model, nor of the rows", "[change]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  cluster.Register(MakeDefinition("web"));
  const auto rows = cluster.rows;
  const Outcome outcome = cluster.Run([](change::Change* change) -> absl::StatusOr<model::Answer> {
    v1::RunTaskRequest run;
    run.set_task_definition("web");
    REQUIRE(task::Apply(run, change).ok());
    return absl::InternalError("after all, no");
  });
  CHECK(absl::IsInternal(outcome.status));
  CHECK(outcome.mutations.empty());
  CHECK(outcome.effects.empty());
  CHECK(cluster.rows == rows);
  CHECK(cluster.model.state().FindCluster("default")->tasks.empty());
  const auto& instances = cluster.model.state().FindCluster("default")->instances;
  CHECK(instances.begin()->second->host.free_memory_mib == 2000);
}

TEST_CASE("a command with more rows than the store takes is refused, and leaves nothing",
          "[change]") {
  Fixture test;
  model::Model model(test.options);
  model::Command command = [](change::Change* change) -> absl::StatusOr<model::Answer> {
    for (const char* name : {"a", "b", "c"}) change->Put(Named(name));
    return model::Answer();
  };
  const change::Instant now{test.clock.Now(), test.clock.Monotonic()};
  CHECK(absl::IsInvalidArgument(model.Run(&command, now, 2).answer.status()));
  CHECK(model.state().clusters().empty());
  CHECK(model.Run(&command, now, 3).mutations.size() == 3);
}

TEST_CASE("an agent is told once, and the last word, of a task that a command writes twice",
          "[change]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  cluster.Register(MakeDefinition("web"));
  const Outcome outcome = cluster.Run([](change::Change* change) -> absl::StatusOr<model::Answer> {
    v1::RunTaskRequest run;
    run.set_task_definition("web");
    const auto started = task::Apply(run, change);
    v1::StopTaskRequest stop;
    stop.set_task(started->tasks(0).task_arn());
    REQUIRE(task::Apply(stop, change).ok());
    return model::Answer();
  });
  const auto sent = SentTo("s1", outcome);
  REQUIRE(sent.size() == 1);
  REQUIRE(sent[0].assignment_set().assignments_size() == 1);
  CHECK(sent[0].assignment_set().assignments(0).desired_status() == v1::TaskStatus::STOPPED);
}

}  // namespace
}  // namespace davit::test
