#include "controller/loop/loop.h"

#include <catch2/catch.hpp>

#include "controller/loop/agent_sessions.h"
#include "controller/store/memory_store.h"
#include "davit/v1/cluster_record_v1.pb.h"
#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

class RecordingSink final : public loop::AgentSink {
 public:
  void Queue(v1::ControllerMessage message) override { queue_.Push(std::move(message)); }
  void Queue(const std::string& session_id, change::Assignments assignments) override {
    queue_.Push(session_id, std::move(assignments));
  }
  void QueueEnd() override { must_end_ = true; }
  void Flush() override {
    while (auto message = queue_.Pop()) messages.push_back(*std::move(message));
    is_ended = must_end_;
  }
  std::vector<v1::ControllerMessage> messages;
  bool is_ended = false;

 private:
  loop::AssignmentQueue queue_;
  bool must_end_ = false;
};

struct TestLoop {
  explicit TestLoop(store::MemoryStore* rows) : store(rows) {
    REQUIRE(loop.Start(&sessions).ok());
    writer.RunAll();
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
  template <typename Request>
  absl::StatusOr<loop::Answer> Submit(const Request& request) {
    // The answer may come after this call.
    auto result = std::make_shared<absl::StatusOr<loop::Answer>>(absl::UnknownError("no answer"));
    loop.Submit(CommandOf(request),
                [result](absl::StatusOr<loop::Answer> answer) { *result = std::move(answer); });
    writer.RunAll();
    return *result;
  }
  bool HasCluster(const std::string& name) {
    bool has_cluster = false;
    loop.view().Look(
        [&](const state::State& state) { has_cluster = state.FindCluster(name) != nullptr; });
    return has_cluster;
  }
  void Pass(absl::Duration time) { test::Pass(time, &clock, &timers, &writer); }

  store::MemoryStore* store;
  FakeClock clock;
  FakeExecutor writer;
  FakeTimers timers{&clock};
  loop::Loop loop{{ModelOptions(), store, &clock, &writer, &timers}};
  loop::AgentSessions sessions{&loop};
};

v1::CreateClusterRequest Create(const std::string& name) {
  v1::CreateClusterRequest request;
  request.set_cluster_name(name);
  return request;
}

v1::RunTaskRequest RunWeb() {
  v1::RunTaskRequest request;
  request.set_task_definition("web");
  return request;
}

TEST_CASE("commands that wait together are one transaction, answered after it and in order",
          "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  const int before = rows.commits();
  std::vector<std::string> answers;
  for (const char* name : {"a", "b"}) {
    test.loop.Submit(CommandOf(Create(name)),
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
  store::MemoryStore rows;
  TestLoop test(&rows);
  bool is_refused = false;
  test.loop.Submit(CommandOf(Create("not a name")),
                   [&](const absl::StatusOr<loop::Answer>& answer) { is_refused = !answer.ok(); });
  CHECK(test.Submit(Create("good")).ok());
  CHECK(is_refused);
}

TEST_CASE("a slow commit: commands are applied meanwhile, and nothing is seen before it is durable",
          "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  rows.Hold();
  CHECK(absl::IsUnknown(test.Submit(Create("a")).status()));
  std::vector<std::string> answers;
  const auto submit = [&](const std::string& name) {
    test.loop.Submit(CommandOf(Create(name)), [&answers, name](const auto& answer) {
      answers.push_back(absl::StrCat(name, answer.ok() ? "" : " failed"));
    });
    test.writer.RunAll();
  };
  submit("b");
  submit("not a name");
  submit("c");
  CHECK(test.loop.Depth() == 0);
  CHECK(answers.empty());
  CHECK_FALSE(test.HasCluster("a"));
  rows.ReleaseOne();
  test.writer.RunAll();
  CHECK(test.HasCluster("a"));
  CHECK_FALSE(test.HasCluster("b"));
  rows.ReleaseOne();
  test.writer.RunAll();
  CHECK(answers == std::vector<std::string>{"b", "not a name failed", "c"});
  CHECK(test.HasCluster("c"));
}

TEST_CASE("a read sees every write that was answered before it was asked", "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  bool was_seen = false;
  test.loop.Submit(CommandOf(Create("a")), [&](const auto&) { was_seen = test.HasCluster("a"); });
  test.writer.RunAll();
  CHECK(was_seen);
}

TEST_CASE("a disk that is stuck bounds what is accepted, and health says so", "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  rows.Hold();
  int answered = 0;
  int refused = 0;
  for (int i = 0; i < 12'500; ++i) {
    test.loop.Submit(CommandOf(Create(absl::StrCat("c", i))), [&](const auto& answer) {
      ++(absl::IsResourceExhausted(answer.status()) ? refused : answered);
    });
    if (i % 100 == 0) test.writer.RunAll();
  }
  CHECK(refused > 0);
  CHECK(test.loop.Depth() == 10'000);
  CHECK(test.loop.Health().ok());
  test.clock.Advance(absl::Seconds(11));
  CHECK(absl::IsUnavailable(test.loop.Health()));
  CHECK(absl::IsUnavailable(test.Submit(Create("late")).status()));
  // The writer itself is free.
  bool is_alive = false;
  test.loop.Ping([&is_alive] { is_alive = true; });
  test.writer.RunAll();
  CHECK(is_alive);
  while (rows.ReleaseOne()) test.writer.RunAll();
  CHECK(answered + refused == 12'500);
  CHECK(test.loop.Health().ok());
}

TEST_CASE("a commit that fails is answered as such, and nothing of its batch is remembered",
          "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  std::string session;
  const auto sink = test.Connect("i-1", &session);
  rows.FailWith(absl::ResourceExhaustedError("disk full"));
  const auto failed = test.Submit(Create("a"));
  CHECK(absl::IsUnavailable(failed.status()));
  CHECK_THAT(std::string(failed.status().message()), Catch::Contains("disk full"));
  CHECK(sink->is_ended);
  CHECK(sink->messages.back().goodbye().code() == v1::Goodbye::STALE);
  CHECK_THAT(std::string(test.loop.Health().message()), Catch::Contains("disk full"));
  // Reads go on with what is durable.
  CHECK(test.HasCluster("default"));

  rows.FailWith(absl::OkStatus());
  test.Pass(absl::Seconds(3));
  CHECK(test.loop.Health().ok());
  CHECK_FALSE(test.HasCluster("a"));
  CHECK(test.Submit(Create("a")).ok());
}

TEST_CASE("a store that stays broken is tried less and less often", "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  rows.FailWith(absl::UnavailableError("broken"));
  CHECK_FALSE(test.Submit(Create("a")).ok());
  test.Pass(absl::Minutes(2));
  CHECK_FALSE(test.loop.Health().ok());
  rows.FailWith(absl::OkStatus());
  test.Pass(absl::Seconds(31));
  CHECK(test.loop.Health().ok());
}

TEST_CASE("another controller's write fences this one off", "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  const std::string mine = rows.rows().at("meta");
  v1::StoredMeta other;
  other.set_format(2);
  other.set_epoch(1ULL << 40);
  rows.Put("meta", other.SerializeAsString());
  CHECK(absl::IsUnavailable(test.Submit(Create("a")).status()));
  // It has loaded what the other one wrote, and goes on above it.
  CHECK(test.Submit(Create("b")).ok());
  test.loop.view().Look(
      [&](const state::State& state) { CHECK(state.epoch() == (1ULL << 40) + 1); });
}

TEST_CASE("after a failed commit every agent has its grace to come back", "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  std::string session;
  test.Connect("i-1", &session);
  test.Connect("i-2", &session);
  test.Pass(absl::Minutes(10));
  test.Connect("i-2", &session);
  rows.FailWith(absl::ResourceExhaustedError("disk full"));
  CHECK_FALSE(test.Submit(Create("a")).ok());
  rows.FailWith(absl::OkStatus());
  test.Pass(absl::Seconds(3));
  // Nobody is past its grace yet: that would show as a command at the next tick.
  std::vector<std::string> notes;
  test.Pass(absl::Seconds(50));
  CHECK(test.Submit(Create("a")).ok());
}

TEST_CASE("an agent's report is acked only after the commit", "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  std::string session;
  const auto sink = test.Connect("i-1", &session);
  REQUIRE(test.Submit(MakeDefinition("web")).ok());
  REQUIRE(test.Submit(RunWeb()).ok());
  const std::string arn = sink->messages.back().assignment_set().assignments(0).task_arn();
  rows.FailWith(absl::UnavailableError("no"));
  bool is_taken = false;
  test.sessions.Receive(session, ReportOf(session, arn, v1::TaskStatus::STOPPED, 1),
                        [&is_taken] { is_taken = true; });
  test.writer.RunAll();
  CHECK(sink->messages.back().has_goodbye());
  CHECK(is_taken);
}

TEST_CASE("progress that agents tell again is acked at once, and written a little later",
          "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  std::string session;
  const auto sink = test.Connect("i-1", &session);
  REQUIRE(test.Submit(MakeDefinition("web")).ok());
  REQUIRE(test.Submit(RunWeb()).ok());
  const std::string arn = sink->messages.back().assignment_set().assignments(0).task_arn();
  const std::string key = absl::StrCat("task/default/", arn.substr(arn.size() - 32));
  const std::string before = rows.rows().at(key);
  test.sessions.Receive(session, ReportOf(session, arn, v1::TaskStatus::PENDING, 1));
  test.writer.RunAll();
  CHECK(sink->messages.back().has_report_ack());
  CHECK(rows.rows().at(key) == before);
  SECTION("at the next tick") {
    test.Pass(absl::Seconds(1));
    v1::StoredTask task;
    task.ParseFromString(rows.rows().at(key));
    CHECK(task.last_status() == v1::TaskStatus::PENDING);
  }
  SECTION("or with the next commit, of two the newer one") {
    test.sessions.Receive(session, ReportOf(session, arn, v1::TaskStatus::RUNNING, 2));
    test.sessions.Receive(session, ReportOf(session, arn, v1::TaskStatus::RUNNING, 3));
    test.writer.RunAll();
    v1::StoredTask task;
    task.ParseFromString(rows.rows().at(key));
    CHECK(task.last_status() == v1::TaskStatus::RUNNING);
    CHECK(task.sequence() == 3);
  }
}

TEST_CASE("after a restart the cluster is as it was, and the epoch is higher", "[loop]") {
  store::MemoryStore rows;
  std::string arn;
  uint64_t epoch = 0;
  {
    TestLoop first(&rows);
    std::string session;
    const auto sink = first.Connect("i-1", &session);
    epoch = sink->messages[0].welcome().controller_epoch();
    arn = sink->messages[0].welcome().container_instance_arn();
    REQUIRE(first.Submit(MakeDefinition("web")).ok());
    REQUIRE(first.Submit(RunWeb()).ok());
  }
  TestLoop second(&rows);
  std::string session;
  const auto sink = second.Connect("i-1", &session);
  CHECK(sink->messages[0].welcome().controller_epoch() == epoch + 1);
  CHECK(sink->messages[0].welcome().container_instance_arn() == arn);
  CHECK(sink->messages[1].assignment_set().assignments_size() == 1);
}

TEST_CASE("rows of an older version are migrated once, before anything else", "[loop]") {
  store::MemoryStore rows;
  v1::StoredMetaV1 meta;
  meta.set_epoch(3);
  rows.Put("meta", meta.SerializeAsString());
  v1::StoredClusterV1 cluster;
  cluster.mutable_cluster()->set_cluster_name("old");
  cluster.mutable_cluster()->set_status("ACTIVE");
  rows.Put("cluster/old", cluster.SerializeAsString());
  TestLoop test(&rows);
  CHECK(test.HasCluster("old"));
  v1::StoredCluster migrated;
  REQUIRE(migrated.ParseFromString(rows.rows().at("cluster/old")));
  CHECK(migrated.name() == "old");
}

TEST_CASE("a store of a newer version is refused", "[loop]") {
  store::MemoryStore rows;
  v1::StoredMeta meta;
  meta.set_format(99);
  rows.Put("meta", meta.SerializeAsString());
  FakeClock clock;
  FakeExecutor writer;
  FakeTimers timers(&clock);
  loop::Loop loop({ModelOptions(), &rows, &clock, &writer, &timers});
  loop::AgentSessions sessions(&loop);
  CHECK(absl::IsFailedPrecondition(loop.Start(&sessions)));
}

TEST_CASE("the tick ends sessions that are silent", "[loop]") {
  store::MemoryStore rows;
  TestLoop test(&rows);
  std::string session;
  const auto sink = test.Connect("i-1", &session);
  test.Pass(absl::Seconds(30));
  CHECK(sink->is_ended);
  // And it is armed again.
  const auto again = test.Connect("i-1", &session);
  test.Pass(absl::Seconds(30));
  CHECK(again->is_ended);
}

TEST_CASE("whoever follows the store's commits has the durable state", "[loop]") {
  store::MemoryStore rows;
  state::State follower{state::Place{}};
  rows.Watch([&follower](const std::vector<store::CommandRows>& commands) {
    for (const store::CommandRows& command : commands) {
      for (const rows::Mutation& mutation : command) follower.Apply(mutation);
    }
  });
  TestLoop test(&rows);
  std::string session;
  test.Connect("i-1", &session);
  REQUIRE(test.Submit(MakeDefinition("web")).ok());
  REQUIRE(test.Submit(RunWeb()).ok());
  test.Pass(absl::Seconds(1));
  test.loop.view().Look([&](const state::State& state) {
    const auto& tasks = state.FindCluster("default")->tasks;
    REQUIRE(follower.FindCluster("default")->tasks.size() == tasks.size());
    CHECK(follower.FindTask("default", tasks.begin()->first)->record->SerializeAsString() ==
          tasks.begin()->second->record->SerializeAsString());
    CHECK(follower.epoch() == state.epoch());
  });
}

}  // namespace
}  // namespace davit::test
