#include "controller/loop/loop.h"

#include <catch2/catch.hpp>

#include "controller/loop/agent_sessions.h"
#include "controller/store/memory_store.h"
#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

class RecordingSink final : public loop::AgentSink {
 public:
  void Send(v1::ControllerMessage message) override { messages.push_back(std::move(message)); }
  void End() override { is_ended = true; }
  std::vector<v1::ControllerMessage> messages;
  bool is_ended = false;
};

struct TestLoop {
  explicit TestLoop(cluster_store::MemoryStore* rows) : store(rows) {
    REQUIRE(loop.Start(&sessions).ok());
  }

  std::shared_ptr<RecordingSink> Connect(const std::string& host, std::string* session_id) {
    auto sink = std::make_shared<RecordingSink>();
    *session_id = sessions.Open(sink);
    v1::AgentMessage message;
    *message.mutable_hello() = MakeHello(host);
    sessions.Receive(*session_id, message);
    writer.RunAll();
    return sink;
  }
  absl::StatusOr<loop::Answer> Submit(cluster::Command command) {
    absl::StatusOr<loop::Answer> result = absl::UnknownError("not answered");
    loop.Submit(std::move(command),
                [&result](absl::StatusOr<loop::Answer> answer) { result = std::move(answer); });
    writer.RunAll();
    return result;
  }

  cluster_store::MemoryStore* store;
  FakeClock clock;
  FakeExecutor writer;
  FakeTimers timers;
  loop::Loop loop{{ModelOptions(), store, &clock, &writer, &timers}};
  loop::AgentSessions sessions{&loop};
};

v1::CreateClusterRequest Create(const std::string& name) {
  v1::CreateClusterRequest request;
  request.set_cluster_name(name);
  return request;
}

TEST_CASE("commands that wait together are one transaction, answered after it and in order",
          "[loop]") {
  cluster_store::MemoryStore rows;
  TestLoop test(&rows);
  const int before = rows.commits();
  std::vector<std::string> answers;
  for (const char* name : {"a", "b"}) {
    test.loop.Submit(Create(name),
                     [&answers, &rows, before, name](const absl::StatusOr<loop::Answer>& answer) {
                       CHECK(answer.ok());
                       CHECK(rows.commits() == before + 1);
                       answers.push_back(name);
                     });
  }
  CHECK(test.loop.Depth() == 2);
  test.writer.RunAll();
  CHECK(answers == std::vector<std::string>{"a", "b"});
  CHECK(test.loop.Depth() == 0);
}

TEST_CASE("a refused command does not harm the others of its batch", "[loop]") {
  cluster_store::MemoryStore rows;
  TestLoop test(&rows);
  bool is_refused = false;
  test.loop.Submit(Create("not a name"),
                   [&](const absl::StatusOr<loop::Answer>& answer) { is_refused = !answer.ok(); });
  CHECK(test.Submit(Create("good")).ok());
  CHECK(is_refused);
}

TEST_CASE("a query sees the commands before it", "[loop]") {
  cluster_store::MemoryStore rows;
  TestLoop test(&rows);
  test.loop.Submit(Create("a"));
  bool has_cluster = false;
  test.loop.Ask(
      [&](const cluster::Model& model) -> absl::StatusOr<loop::Answer> {
        has_cluster = model.state().FindCluster("a") != nullptr;
        return loop::Answer();
      },
      nullptr);
  test.writer.RunAll();
  CHECK(has_cluster);
}

TEST_CASE("a commit that fails is answered as such, and nothing of its batch is remembered",
          "[loop]") {
  cluster_store::MemoryStore rows;
  TestLoop test(&rows);
  std::string session;
  const auto sink = test.Connect("i-1", &session);
  rows.FailCommitsWith(absl::ResourceExhaustedError("disk full"));
  const auto failed = test.Submit(Create("a"));
  CHECK(absl::IsUnavailable(failed.status()));
  CHECK_THAT(std::string(failed.status().message()), Catch::Contains("disk full"));
  CHECK(sink->is_ended);
  CHECK(sink->messages.back().goodbye().code() == v1::Goodbye::STALE);

  rows.FailCommitsWith(absl::OkStatus());
  bool has_cluster = true;
  test.loop.Ask(
      [&](const cluster::Model& model) -> absl::StatusOr<loop::Answer> {
        has_cluster = model.state().FindCluster("a") != nullptr;
        return loop::Answer();
      },
      nullptr);
  test.writer.RunAll();
  CHECK_FALSE(has_cluster);
  CHECK(test.Submit(Create("a")).ok());
}

TEST_CASE("an agent's report is acked only after the commit", "[loop]") {
  cluster_store::MemoryStore rows;
  TestLoop test(&rows);
  std::string session;
  const auto sink = test.Connect("i-1", &session);
  REQUIRE(test.Submit(MakeDefinition("web")).ok());
  v1::RunTaskRequest run;
  run.set_task_definition("web");
  REQUIRE(test.Submit(run).ok());
  const std::string arn = sink->messages.back().assignment_set().assignments(0).task_arn();
  rows.FailCommitsWith(absl::UnavailableError("no"));
  test.sessions.Receive(session, ReportOf(session, arn, v1::TaskStatus::STOPPED, 1));
  test.writer.RunAll();
  CHECK(sink->messages.back().has_goodbye());
}

TEST_CASE("after a restart the cluster is as it was, and the epoch is higher", "[loop]") {
  cluster_store::MemoryStore rows;
  std::string arn;
  {
    TestLoop first(&rows);
    std::string session;
    const auto sink = first.Connect("i-1", &session);
    CHECK(sink->messages[0].welcome().controller_epoch() == 1);
    arn = sink->messages[0].welcome().container_instance_arn();
    REQUIRE(first.Submit(MakeDefinition("web")).ok());
    v1::RunTaskRequest run;
    run.set_task_definition("web");
    REQUIRE(first.Submit(run).ok());
  }
  TestLoop second(&rows);
  std::string session;
  const auto sink = second.Connect("i-1", &session);
  CHECK(sink->messages[0].welcome().controller_epoch() == 2);
  CHECK(sink->messages[0].welcome().container_instance_arn() == arn);
  CHECK(sink->messages[1].assignment_set().assignments_size() == 1);
}

TEST_CASE("the tick ends sessions that are silent", "[loop]") {
  cluster_store::MemoryStore rows;
  TestLoop test(&rows);
  std::string session;
  const auto sink = test.Connect("i-1", &session);
  test.clock.Advance(absl::Seconds(30));
  test.timers.FireAll();
  test.writer.RunAll();
  CHECK(sink->is_ended);
  // And it is armed again.
  const auto again = test.Connect("i-1", &session);
  test.clock.Advance(absl::Seconds(30));
  test.timers.FireAll();
  test.writer.RunAll();
  CHECK(again->is_ended);
}

}  // namespace
}  // namespace davit::test
