#include "agent/task/post_mortem.h"

#include <catch2/catch.hpp>

#include "agent/task/task_record.h"
#include "base/utf8.h"
#include "tests/agent/task/task_driver.h"

namespace davit::task {
namespace {

const GoalChanged kStop{Goal::kStop, "enough", v1::StopCode::UserInitiated};

std::string ReportedReason(const TaskDriver& driver, int container = 0) {
  return ToTaskState("arn", driver.snapshot(), 1).containers(container).reason();
}

TEST_CASE("a signal is named by its number if it exists", "[post_mortem]") {
  CHECK(SignalOfExitCode(139) == "SIGSEGV");
  CHECK(SignalOfExitCode(137) == "SIGKILL");
  for (const int none : {0, 1, 127, 128, 255, -1}) CHECK(SignalOfExitCode(none).empty());
}

TEST_CASE("a reason has the exit code and the signal that it may stand for", "[post_mortem]") {
  CHECK(ReasonOfEnd(0, false, {}).empty());
  CHECK(ReasonOfEnd(0, true, {}).empty());  // a child was killed, the container ended well
  CHECK(ReasonOfEnd(std::nullopt, false, {}).empty());
  CHECK(ReasonOfEnd(3, false, {}) == "exit code 3");
  CHECK(ReasonOfEnd(139, false, {}) == "exit code 139 (128 + SIGSEGV)");
}

TEST_CASE("an out-of-memory reason begins with ECS's words and adds the known facts",
          "[post_mortem]") {
  const std::string ecs = "OutOfMemoryError: Container killed due to memory usage";
  CHECK(ReasonOfEnd(137, true, {}) == ecs);
  PostMortem facts;
  facts.memory_peak_bytes = (20 << 20) - 5000;
  CHECK(ReasonOfEnd(137, true, facts) == ecs + ": peak 20 MiB");
  facts.memory_limit_bytes = 64 << 20;
  facts.killed_process = "4711 (stress)";
  CHECK(ReasonOfEnd(137, true, facts) ==
        ecs + ": limit 64 MiB, peak 20 MiB, killed process 4711 (stress)");
  facts.is_memory_of_task = true;
  CHECK_THAT(ReasonOfEnd(1, true, facts), Catch::Contains(": limit of the task 64 MiB, "));
}

TEST_CASE("the end of a long output is reported, in whole characters", "[post_mortem]") {
  CHECK(WithLastLines("exit code 3", {}, 100) == "exit code 3");
  CHECK(WithLastLines("exit code 3", {"one", "two"}, 100) == "exit code 3; last output: one | two");
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "\u00fc";
  for (const size_t limit : {0, 5, 26, 27, 28, 29, 30, 31, 100, 101}) {
    const std::string told = WithLastLines("exit code 3", {umlauts, "end"}, limit);
    INFO(limit << ": " << told);
    CHECK(told.size() <= limit);
    CHECK(told == ToUtf8(told));
    if (limit >= 100) CHECK_THAT(told, Catch::EndsWith("\u00fc | end"));
  }
  CHECK(WithLastLines(std::string(2000, 'x'), {"end"}, 1024).size() == 1024);
}

TEST_CASE("a failed container reports its exit code and last output", "[post_mortem]") {
  TaskDriver driver(OneContainer());
  driver.Run();
  driver.Send(Exited{"web", 3, false, driver.now(), PostMortem{.last_lines = {"so far"}}});
  CHECK(driver.snapshot().stopped_reason == "Essential container in task exited");
  CHECK(ReportedReason(driver) == "exit code 3; last output: so far");
  const int attempt = driver.Find<Deprovision>()->attempt;
  SECTION("its last words came after its end was heard of") {
    driver.Send(Deprovisioned{attempt, {}, {{"web", {"so far", "goodbye"}}, {"stranger", {"x"}}}});
    REQUIRE(driver.snapshot().finished);
    CHECK(ReportedReason(driver) == "exit code 3; last output: so far | goodbye");
  }
  SECTION("its log cannot be read any more") {
    driver.Send(Deprovisioned{attempt, {}, {}});
    REQUIRE(driver.snapshot().finished);
    CHECK(ReportedReason(driver) == "exit code 3; last output: so far");
  }
}

TEST_CASE("a container that succeeded or was stopped has no reason", "[post_mortem]") {
  TaskDriver driver(TwoContainers());
  driver.Run();
  SECTION("exit code 0") { driver.Send(Exited{"web", 0, false, driver.now(), {}}); }
  SECTION("killed, for it ignored the stop signal") {
    driver.Send(kStop);
    driver.Send(TimerFired{{TimerKey::Kind::kStop, "web", 1}});
    driver.Send(Exited{"web", 137, false, driver.now(), {}});
  }
  SECTION("it answers the stop signal with an exit code of its own") {
    driver.Send(kStop);
    driver.Send(Exited{"web", 1, false, driver.now(), {}});
  }
  SECTION("an agent that was restarted finds it ended by the signal") {
    driver.Send(kStop);
    TaskSnapshot later = driver.snapshot();
    later.owns_host_state = true;
    driver = TaskDriver(Recover(later).next);
    driver.Send(Observed{
        {{"web", driver.attempt("web"), Sighting::State::kStopped, 0, 143, false, driver.now()}},
        true});
  }
  SECTION("a child of it was killed for memory, long before the stop") {
    driver.Send(kStop);
    driver.Send(Exited{"web", 143, true, driver.now(), PostMortem{.oom_kills = 1}});
  }
  REQUIRE(driver.container("web").phase == Phase::kStopped);
  CHECK(driver.container("web").post_mortem.has_value());
  CHECK(ReportedReason(driver).empty());
}

TEST_CASE("an unrequested end is reported even while the task stops", "[post_mortem]") {
  TaskSnapshot task = TwoContainers();
  task.containers[0].depends_on = {{"sidecar", Condition::kStart}};
  TaskDriver driver(task);
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{});
  driver.Send(Provisioned{driver.snapshot().attempt, {}});
  for (const std::string name : {"web", "sidecar"})
    driver.Send(Pulled{name, driver.attempt(name), {}, "sha256:1"});
  for (const std::string name : {"sidecar", "web"}) {
    driver.Send(Created{name, driver.attempt(name), {}, {}});
    driver.Send(Started{name, driver.attempt(name), {}, 100});
  }
  driver.Send(kStop);
  REQUIRE(driver.container("web").stop_signals == 1);
  SECTION("it waits for its turn to be stopped") {
    REQUIRE(driver.container("sidecar").stop_signals == 0);
    driver.Send(Exited{"sidecar", 1, false, driver.now(), {}});
    CHECK(ReportedReason(driver, 1) == "exit code 1");
  }
  SECTION("the kernel was faster than our signal") {
    driver.Send(Exited{"web", 137, true, driver.now(), PostMortem{.oom_kills = 1}});
    CHECK_THAT(ReportedReason(driver), Catch::StartsWith("OutOfMemoryError"));
  }
}

TEST_CASE("a restarted container keeps the facts of its last life, without a reason",
          "[post_mortem]") {
  TaskDriver driver(OrderedContainers());
  driver.Run();
  driver.Pass(absl::Hours(1));
  driver.Send(Exited{"db", 1, false, driver.now(), PostMortem{.last_lines = {"oops"}}});
  REQUIRE(driver.container("db").restart_count == 1);
  CHECK(driver.container("db").post_mortem->last_lines == std::vector<std::string>{"oops"});
  CHECK(ReportedReason(driver).empty());
}

TEST_CASE("a record of an older agent has no post-mortem, and none is invented", "[post_mortem]") {
  v1::TaskRecord record;
  record.mutable_assignment()->set_task_arn(
      "arn:aws:ecs:us-east-1:000000000000:task/c/0123456789abcdef0123456789abcdef");
  record.mutable_assignment()->mutable_task_definition()->add_container_definitions()->set_name(
      "web");
  v1::ContainerRecord* web = record.add_containers();
  web->set_name("web");
  web->set_phase(static_cast<int>(Phase::kStopped));
  web->set_exit_code(3);
  const auto task = FromRecord(record, absl::Seconds(1));
  REQUIRE(task.ok());
  CHECK_FALSE(task->containers[0].post_mortem.has_value());
  CHECK(ToTaskState("arn", *task, 1).containers(0).reason().empty());
}

}  // namespace
}  // namespace davit::task
