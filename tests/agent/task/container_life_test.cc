// Container ordering, restarts in place and health in the state machine.

#include "agent/task/container_life.h"

#include <catch2/catch.hpp>

#include "agent/task/dependencies.h"
#include "agent/task/task_record.h"
#include "tests/agent/task/task_driver.h"

namespace davit::task {
namespace {

constexpr ProbeKind kLiveness = ProbeKind::kLiveness;
constexpr ProbeKind kReadiness = ProbeKind::kReadiness;
const CheckResult kPassed{0, "fine"};
const CheckResult kFailed{1, "no answer"};

// Admitted, provisioned, all images pulled.
TaskDriver Pulled3(TaskSnapshot task = OrderedContainers()) {
  TaskDriver driver(std::move(task));
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{});
  driver.Send(Provisioned{driver.snapshot().attempt, {}});
  for (const char* name : {"db", "setup", "app"})
    driver.Send(Pulled{name, driver.attempt(name), {}, ""});
  return driver;
}

void StartContainer(const std::string& name, TaskDriver* driver) {
  driver->Send(Created{name, driver->attempt(name), {}, {}});
  driver->Send(Started{name, driver->attempt(name), {}, 5});
}

TEST_CASE("a container is created only when its dependencies allow it", "[task][order]") {
  TaskDriver driver = Pulled3();
  CHECK(driver.container("app").work == Work::kNothing);
  StartContainer("db", &driver);
  StartContainer("setup", &driver);
  CHECK(driver.snapshot().waiting_reason == "waits for container db to be HEALTHY");
  driver.EndCheck("db", kLiveness, kPassed);
  CHECK(driver.snapshot().waiting_reason == "waits for container setup to complete");
  driver.Send(Exited{"setup", 0, false, driver.now()});
  CHECK(driver.Find<Create>("app") != nullptr);
}

TEST_CASE("a dependency that can never hold fails the container with the reason", "[task][order]") {
  TaskDriver driver = Pulled3();
  StartContainer("setup", &driver);
  driver.Send(Exited{"setup", 4, false, driver.now()});
  CHECK(driver.container("app").reason ==
        "TaskDependencyError: container setup did not end with exit code 0 but with 4");
  CHECK(driver.snapshot().stop_code == v1::StopCode::TaskFailedToStart);
}

TEST_CASE("containers stop waiting for a dependency after its startTimeout", "[task][order]") {
  TaskDriver driver = Pulled3();
  driver.Send(Created{"db", driver.attempt("db"), {}, {}});
  driver.Send(Started{"db", driver.attempt("db"), {}, 5});
  CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kStartTimeout, "db", 0}, absl::Seconds(120)}));
  driver.Send(TimerFired{{TimerKey::Kind::kStartTimeout, "db", 0}});
  CHECK(driver.container("app").reason ==
        "TaskDependencyError: container db took longer than its startTimeout of 2m to be HEALTHY");
}

TEST_CASE("a dependency that was HEALTHY in time may become unready", "[task][order]") {
  TaskDriver driver = Pulled3(OrderedContainersWithReadiness());
  StartContainer("db", &driver);
  StartContainer("setup", &driver);
  driver.EndCheck("db", kLiveness, kPassed);
  driver.EndCheck("db", kReadiness, kPassed);
  driver.EndCheck("db", kReadiness, kFailed);
  if (GENERATE(true, false)) {
    driver = TaskDriver(Recover(driver.snapshot()).next);
    driver.Send(Observed{
        {{"db", driver.attempt("db"), Sighting::State::kRunning, 5, {}, false, {}}}, true});
  }
  driver.Send(TimerFired{{TimerKey::Kind::kStartTimeout, "db", 0}});
  CHECK(driver.snapshot().goal == Goal::kRun);
  CHECK(driver.container("app").phase != Phase::kStopped);
}

TEST_CASE("a dependency that became HEALTHY too late may become unready too", "[task][order]") {
  TaskDriver driver(OrderedContainersWithReadiness());
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{});
  driver.Send(Provisioned{driver.snapshot().attempt, {}});
  for (const char* name : {"db", "setup"}) {
    driver.Send(Pulled{name, driver.attempt(name), {}, ""});
    StartContainer(name, &driver);
  }
  // Nobody waits yet: "app" is still being pulled.
  driver.Send(TimerFired{{TimerKey::Kind::kStartTimeout, "db", 0}});
  driver.EndCheck("db", kLiveness, kPassed);
  driver.EndCheck("db", kReadiness, kPassed);
  driver.Send(Pulled{"app", driver.attempt("app"), {}, ""});
  CHECK(driver.snapshot().waiting_reason == "waits for container setup to complete");
  driver.EndCheck("db", kReadiness, kFailed);
  CHECK(driver.snapshot().goal == Goal::kRun);
  CHECK(driver.container("app").phase == Phase::kPulled);
  CHECK(driver.snapshot().waiting_reason == "waits for container db to be HEALTHY");
}

TEST_CASE("containers stop in the reverse order of their dependencies", "[task][order]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  StartContainer("setup", &driver);
  driver.Send(Exited{"setup", 0, false, driver.now()});
  driver.EndCheck("db", kLiveness, kPassed);
  StartContainer("app", &driver);
  CHECK(driver.snapshot().last_status == v1::TaskStatus::RUNNING);
  driver.Send(GoalChanged{Goal::kStop, "user", v1::StopCode::UserInitiated});
  CHECK(driver.Find<Signal>("app") != nullptr);
  CHECK(driver.Find<Signal>("db") == nullptr);
  driver.Send(Exited{"app", 143, false, driver.now()});
  CHECK(driver.Find<Signal>("db") != nullptr);
}

TEST_CASE("dependencies that can never hold make the assignment invalid", "[task][order]") {
  TaskSnapshot cycle = TwoContainers();
  cycle.containers[0].depends_on = {{"sidecar", Condition::kStart}};
  cycle.containers[1].depends_on = {{"web", Condition::kStart}};
  CHECK(CheckDependencies(cycle).message().find("depends on itself") != absl::string_view::npos);
  TaskSnapshot unknown = OneContainer();
  unknown.containers[0].depends_on = {{"nobody", Condition::kStart}};
  CHECK(CheckDependencies(unknown).message().find("unknown container 'nobody'") !=
        absl::string_view::npos);
  TaskSnapshot unchecked = TwoContainers();
  unchecked.containers[0].depends_on = {{"sidecar", Condition::kHealthy}};
  CHECK(CheckDependencies(unchecked).message().find("no healthCheck") != absl::string_view::npos);
  CHECK(CheckDependencies(OrderedContainers()).ok());
}

TEST_CASE("a container that lived long enough is restarted in place", "[task][restart]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  const absl::Time ended = *driver.container("db").started_at + absl::Seconds(61);
  driver.Send(Exited{"db", 1, false, ended});
  CHECK(driver.snapshot().goal == Goal::kRun);
  CHECK(driver.container("db").restart_count == 1);
  CHECK(StatusOf(driver.container("db")) == v1::ContainerStatus::RUNNING);
  const TimerKey timer = driver.Find<ArmTimer>()->key;
  driver.Send(TimerFired{timer});
  CHECK(driver.Has(Create{"db", driver.attempt("db"), /*again=*/true}));
  StartContainer("db", &driver);
  CHECK(driver.container("db").phase == Phase::kRunning);
  // A late, repeated event of the first end changes nothing. But it may be of the second end, so
  // the machine inspects.
  CHECK(driver.Send(Exited{"db", 1, false, ended}) == Actions{Observe{}});
  driver.Send(
      Observed{{{"db", driver.attempt("db"), Sighting::State::kRunning, 5, {}, false, {}}}, true});
  CHECK(driver.container("db").phase == Phase::kRunning);
}

TEST_CASE("the end of a life is stored before the next life begins", "[task][restart]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  driver.Pass(absl::Seconds(61));
  driver.Send(Exited{"db", 1, false, driver.now()});
  const TimerKey timer = driver.Find<ArmTimer>()->key;
  const Actions& actions = driver.Send(TimerFired{timer});
  REQUIRE(driver.Find<Create>("db") != nullptr);
  CHECK(actions.front() == Action(Persist{}));
}

TEST_CASE("the end of a second life is noticed even if the clock was set back", "[task][restart]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  driver.Pass(absl::Seconds(61));
  driver.Send(Exited{"db", 1, false, driver.now()});
  driver.Send(TimerFired{driver.Find<ArmTimer>()->key});
  StartContainer("db", &driver);
  driver.SetClock(-absl::Hours(3));
  const absl::Time ended = driver.now();
  CHECK(driver.Send(Exited{"db", 7, false, ended}) == Actions{Observe{}});
  driver.Send(Observed{
      {{"db", driver.attempt("db"), Sighting::State::kStopped, 0, 7, false, ended}}, true});
  CHECK(driver.container("db").phase == Phase::kStopped);
  CHECK(driver.container("db").exit_code == 7);
}

TEST_CASE("setting the clock does not change how long a container lived", "[task][restart]") {
  const auto [jump, pause, restarts] = GENERATE(table<absl::Duration, absl::Duration, int>({
      {absl::Hours(3), absl::Seconds(10), 0},
      {-absl::Hours(3), absl::Seconds(61), 1},
      {absl::ZeroDuration(), absl::Seconds(61), 1},
  }));
  const bool agent_is_restarted = GENERATE(false, true);
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  if (agent_is_restarted) *driver.mutable_snapshot() = Recover(driver.snapshot()).next;
  driver.SetClock(jump);
  driver.Pass(pause);
  driver.Send(Exited{"db", 1, false, driver.now()});
  CHECK(driver.container("db").restart_count == restarts);
}

TEST_CASE("a life without a known end has no exit code, not that of the life before",
          "[task][restart]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  driver.Pass(absl::Seconds(61));
  driver.Send(Exited{"db", 1, true, driver.now()});
  CHECK_FALSE(ToTaskState("arn", driver.snapshot(), 1).containers(0).has_exit_code());
  driver.Send(TimerFired{driver.Find<ArmTimer>()->key});
  SECTION("it was seen to run") { StartContainer("db", &driver); }
  SECTION("it may have run") { driver.Send(Created{"db", driver.attempt("db"), {}, {}}); }
  driver.Send(
      Observed{{{"db", driver.attempt("db"), Sighting::State::kNoTask, 0, {}, false, {}}}, false});
  const v1::ContainerState told = ToTaskState("arn", driver.snapshot(), 2).containers(0);
  CHECK(told.last_status() == v1::ContainerStatus::STOPPED);
  CHECK_FALSE(told.has_exit_code());
}

TEST_CASE("a task that is stopped between two lives reports how the last one ended",
          "[task][restart]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  driver.Pass(absl::Seconds(61));
  driver.Send(Exited{"db", 137, true, driver.now()});
  driver.Send(GoalChanged{Goal::kStop, "user", v1::StopCode::UserInitiated});
  const v1::ContainerState told = ToTaskState("arn", driver.snapshot(), 1).containers(0);
  CHECK(told.exit_code() == 137);
  CHECK(told.reason() == "OutOfMemoryError: Container killed due to memory usage");
}

TEST_CASE("a container that never ran is not complete", "[task][order]") {
  TaskSnapshot task = TwoContainers();
  task.containers[0].depends_on = {{"sidecar", Condition::kComplete}};
  task.containers[1].phase = Phase::kStopped;
  CHECK(AnswerDependencies(task, task.containers[0]).verdict == DependencyAnswer::Verdict::kNever);
  CHECK(AnswerDependencies(task, task.containers[0]).reason ==
        "TaskDependencyError: container sidecar has never run");
  task.containers[1].finished_at = absl::FromUnixSeconds(7);
  CHECK(AnswerDependencies(task, task.containers[0]).verdict == DependencyAnswer::Verdict::kMet);
}

TEST_CASE(
    "a container is not restarted if its life was too short, its code is ignored, or the task "
    "stops",
    "[task][restart]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  const absl::Time started = *driver.container("db").started_at;
  SECTION("too short") { driver.Send(Exited{"db", 1, false, started + absl::Seconds(59)}); }
  SECTION("ignored") { driver.Send(Exited{"db", 7, false, started + absl::Seconds(61)}); }
  SECTION("stopping") {
    driver.Send(GoalChanged{Goal::kStop, "user", v1::StopCode::UserInitiated});
    driver.Send(Exited{"db", 1, false, started + absl::Seconds(61)});
  }
  CHECK(driver.container("db").phase == Phase::kStopped);
  CHECK(driver.snapshot().goal == Goal::kStop);
}

TEST_CASE("health checks follow one another, and only consecutive failures make UNHEALTHY",
          "[task][health]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kCheck, "db", 1}, absl::Seconds(10)}));
  CHECK(driver.Send(TimerFired{{TimerKey::Kind::kCheck, "db", 1}}) ==
        Actions{Check{"db", kLiveness, 1}});
  driver.Send(Checked{"db", kLiveness, 1, kPassed});
  CHECK(HealthOf(driver.container("db")) == Health::kHealthy);
  CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kCheck, "db", 2}, absl::Seconds(10)}));
  driver.Send(Checked{"db", kLiveness, 2, kFailed});
  CHECK(HealthOf(driver.container("db")) == Health::kHealthy);
  CHECK_FALSE(driver.Has(Report{}));
  driver.Send(Checked{"db", kLiveness, 3, kFailed});
  CHECK(HealthOf(driver.container("db")) == Health::kUnhealthy);
  CHECK(driver.Has(Report{}));
  CHECK(driver.snapshot().goal == Goal::kRun);
}

TEST_CASE("a check without an answer has no result, and the next one follows", "[task][health]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  driver.EndCheck("db", kLiveness, kPassed);
  for (int number = 2; number < 6; ++number) {
    driver.Send(Checked{"db", kLiveness, number, std::nullopt});
    CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kCheck, "db", number + 1}, absl::Seconds(10)}));
  }
  CHECK(HealthOf(driver.container("db")) == Health::kHealthy);
  CHECK(driver.probe("db", kLiveness).results.size() == 1);
}

TEST_CASE("the last five results of a check are kept, with their times and exit codes",
          "[task][health]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  for (int code = 0; code < 7; ++code)
    driver.EndCheck("db", kLiveness, CheckResult{code, absl::StrCat("says ", code)});
  driver.EndCheck("db", kLiveness, CheckResult{std::nullopt, std::string(2000, 'x')});
  const std::vector<CheckResult>& results = driver.probe("db", kLiveness).results;
  REQUIRE(results.size() == 5);
  CHECK(results[0].exit_code == 3);
  CHECK(results[0].output == "says 3");
  CHECK(results[4].exit_code == std::nullopt);
  CHECK(results[4].output.size() == 1024);
  CHECK(results[4].at == driver.now());
  CHECK(results[3].at == driver.now() - absl::Seconds(1));
}

TEST_CASE("a changed verdict is stored, a changed output alone is not", "[task][health]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  driver.EndCheck("db", kLiveness, kPassed);
  CHECK(driver.Has(Persist{}));
  driver.EndCheck("db", kLiveness, CheckResult{0, "other words"});
  CHECK_FALSE(driver.Has(Persist{}));
  driver.EndCheck("db", kLiveness, kFailed);  // the first of two: a restarted agent must know
  CHECK(driver.Has(Persist{}));
  driver.EndCheck("db", kLiveness, kFailed);
  CHECK(driver.Has(Persist{}));
  driver.EndCheck("db", kLiveness, kFailed);
  CHECK_FALSE(driver.Has(Persist{}));
}

TEST_CASE("failures in the start period do not count", "[task][health]") {
  ContainerSnapshot container = OrderedContainers().containers[0];
  container.started_at = absl::FromUnixSeconds(100);
  container.started_uptime = absl::Seconds(10);
  // Whatever the wall clock says.
  const auto at = [wall = GENERATE(0, 100, 100'000)](int since_start) {
    return Moment{absl::FromUnixSeconds(wall + since_start), absl::Seconds(10 + since_start)};
  };
  Probe& probe = container.probes.at(kLiveness);
  for (int i = 0; i < 5; ++i) NoteCheck(at(20), kFailed, container, &probe);
  CHECK(probe.health == Health::kUnknown);
  NoteCheck(at(31), kFailed, container, &probe);
  NoteCheck(at(41), kFailed, container, &probe);
  CHECK(probe.health == Health::kUnhealthy);
}

TEST_CASE("a container's healthStatus distinguishes alive from ready", "[task][health]") {
  ContainerSnapshot container = OrderedContainersWithReadiness().containers[0];
  const auto [liveness, readiness, expected] = GENERATE(table<Health, Health, Health>(
      {{Health::kUnknown, Health::kUnknown, Health::kUnknown},
       {Health::kUnknown, Health::kHealthy, Health::kUnknown},
       {Health::kUnknown, Health::kUnhealthy, Health::kUnknown},
       {Health::kHealthy, Health::kUnknown, Health::kUnknown},
       {Health::kHealthy, Health::kHealthy, Health::kHealthy},
       {Health::kHealthy, Health::kUnhealthy, Health::kUnknown},
       {Health::kUnhealthy, Health::kUnknown, Health::kUnhealthy},
       {Health::kUnhealthy, Health::kHealthy, Health::kUnhealthy},
       {Health::kUnhealthy, Health::kUnhealthy, Health::kUnhealthy}}));
  container.probes.at(kLiveness).health = liveness;
  container.probes.at(kReadiness).health = readiness;
  CHECK(HealthOf(container) == expected);
}

TEST_CASE("a container without a health check is as healthy as it is ready", "[task][health]") {
  ContainerSnapshot container = OrderedContainersWithReadiness().containers[0];
  container.probes.erase(kLiveness);
  const auto [readiness, expected] =
      GENERATE(table<Health, Health>({{Health::kUnknown, Health::kUnknown},
                                      {Health::kHealthy, Health::kHealthy},
                                      {Health::kUnhealthy, Health::kUnknown}}));
  container.probes.at(kReadiness).health = readiness;
  CHECK(HealthOf(container) == expected);
  container.probes.clear();
  CHECK(HealthOf(container) == Health::kUnknown);
}

TEST_CASE("both checks of a container run side by side", "[task][health]") {
  TaskDriver driver = Pulled3(OrderedContainersWithReadiness());
  StartContainer("db", &driver);
  CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kCheck, "db", 1, kLiveness}, absl::Seconds(10)}));
  CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kCheck, "db", 1, kReadiness}, absl::Seconds(5)}));
  CHECK(driver.Send(TimerFired{{TimerKey::Kind::kCheck, "db", 1, kReadiness}}) ==
        Actions{Check{"db", kReadiness, 1}});
  CHECK(driver.Send(TimerFired{{TimerKey::Kind::kCheck, "db", 1, kLiveness}}) ==
        Actions{Check{"db", kLiveness, 1}});
  driver.Send(Checked{"db", kReadiness, 1, kFailed});
  CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kCheck, "db", 2, kReadiness}, absl::Seconds(5)}));
  CHECK(driver.probe("db", kLiveness).number == 1);
  CHECK(driver.probe("db", kLiveness).results.empty());
}

TEST_CASE("a dependency is HEALTHY when it is alive and ready", "[task][order]") {
  TaskDriver driver = Pulled3(OrderedContainersWithReadiness());
  StartContainer("db", &driver);
  StartContainer("setup", &driver);
  driver.Send(Exited{"setup", 0, false, driver.now()});
  const bool is_ready_first = GENERATE(true, false);
  driver.EndCheck("db", is_ready_first ? kReadiness : kLiveness, kPassed);
  CHECK(driver.Find<Create>("app") == nullptr);
  CHECK(driver.snapshot().waiting_reason == "waits for container db to be HEALTHY");
  driver.EndCheck("db", is_ready_first ? kLiveness : kReadiness, kPassed);
  CHECK(driver.Find<Create>("app") != nullptr);
}

TEST_CASE("readiness comes and goes, is reported each time, and ends nothing", "[task][health]") {
  TaskDriver driver = Pulled3(OrderedContainersWithReadiness());
  StartContainer("db", &driver);
  driver.EndCheck("db", kLiveness, kPassed);
  const TaskSnapshot before = driver.snapshot();
  for (int i = 0; i < 20; ++i) {
    driver.EndCheck("db", kReadiness, kPassed);
    CHECK(HealthOf(driver.container("db")) == Health::kHealthy);
    CHECK(driver.Has(Report{}));
    driver.EndCheck("db", kReadiness, kFailed);
    CHECK(HealthOf(driver.container("db")) == Health::kUnknown);
    CHECK(driver.Has(Report{}));
    CHECK(driver.Has(Persist{}));
    CHECK(driver.Find<Signal>() == nullptr);
  }
  CHECK(driver.snapshot().goal == Goal::kRun);
  CHECK(driver.container("db").phase == Phase::kRunning);
  CHECK(driver.container("db").restart_count == 0);
}

TEST_CASE("neither a new life nor an ended one is ready", "[task][health]") {
  TaskDriver driver = Pulled3(OrderedContainersWithReadiness());
  StartContainer("db", &driver);
  driver.EndCheck("db", kLiveness, kPassed);
  driver.EndCheck("db", kReadiness, kPassed);
  REQUIRE(HealthOf(driver.container("db")) == Health::kHealthy);
  const int late = driver.probe("db", kReadiness).number;
  const absl::Time started = *driver.container("db").started_at;
  SECTION("new") {
    driver.Send(Exited{"db", 1, false, started + absl::Seconds(61)});
    CHECK(HealthOf(driver.container("db")) == Health::kUnknown);
    driver.Send(TimerFired{driver.Find<ArmTimer>()->key});
    StartContainer("db", &driver);
    REQUIRE(driver.container("db").phase == Phase::kRunning);
    // A result for the first life.
    driver.Send(Checked{"db", kReadiness, late, kPassed});
    CHECK(driver.probe("db", kReadiness).health == Health::kUnknown);
    driver.EndCheck("db", kReadiness, kPassed);
    CHECK(driver.probe("db", kReadiness).health == Health::kHealthy);
    CHECK(driver.probe("db", kReadiness).results.size() == 2);  // the first life's is still shown
  }
  SECTION("ended") {
    driver.Send(Exited{"db", 7, false, started + absl::Seconds(1)});
    REQUIRE(driver.container("db").phase == Phase::kStopped);
    driver.Send(Checked{"db", kReadiness, late, kPassed});
    CHECK(driver.probe("db", kReadiness).health == Health::kUnknown);
  }
}

TEST_CASE("a restarted agent continues both checks and their verdicts", "[task][health]") {
  TaskDriver driver = Pulled3(OrderedContainersWithReadiness());
  StartContainer("db", &driver);
  driver.EndCheck("db", kLiveness, kPassed);
  driver.EndCheck("db", kReadiness, kPassed);
  driver.EndCheck("db", kLiveness, kFailed);
  TaskDriver restarted(Recover(driver.snapshot()).next);
  restarted.Send(Observed{
      {{"db", restarted.attempt("db"), Sighting::State::kRunning, 5, {}, false, {}}}, true});
  CHECK(HealthOf(restarted.container("db")) == Health::kHealthy);
  CHECK(restarted.probe("db", kLiveness).failures == 1);
  for (const ProbeKind kind : {kLiveness, kReadiness}) {
    const Probe& probe = restarted.probe("db", kind);
    CHECK(restarted.Has(
        ArmTimer{{TimerKey::Kind::kCheck, "db", probe.number, kind}, probe.check.interval}));
  }
  restarted.EndCheck("db", kReadiness, kFailed);
  CHECK(HealthOf(restarted.container("db")) == Health::kUnknown);
}

TEST_CASE("an observation older than the container's last change is ignored", "[task][recovery]") {
  TaskDriver driver = Pulled3();
  const int before = driver.attempt("db");
  StartContainer("db", &driver);
  driver.Send(Observed{{{"db", before, Sighting::State::kAbsent, 0, {}, false, {}}}, true});
  CHECK(driver.container("db").phase == Phase::kRunning);
}

TEST_CASE("a container of an agent that lost its records is adopted as it is", "[task][recovery]") {
  TaskDriver driver = Pulled3();
  driver.Send(Created{"db",
                      driver.attempt("db"),
                      {Outcome::Kind::kRetry, "CannotCreateContainerError: it runs"},
                      {}});
  REQUIRE(driver.Has(Observe{}));
  driver.Send(
      Observed{{{"db", driver.attempt("db"), Sighting::State::kRunning, 99, {}, false, {}}}, true});
  CHECK(driver.container("db").phase == Phase::kRunning);
  CHECK(driver.container("db").pid == 99);
}

}  // namespace
}  // namespace davit::task
