// Container ordering, restarts in place and health, as the machine carries them out.

#include "agent/task/container_life.h"

#include <catch2/catch.hpp>

#include "agent/task/dependencies.h"
#include "tests/agent/task/task_driver.h"

namespace davit::task {
namespace {

// Admitted, provisioned, all images pulled.
TaskDriver Pulled3() {
  TaskDriver driver(OrderedContainers());
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

TEST_CASE("a container is created only when all that it depends on allows it", "[task][order]") {
  TaskDriver driver = Pulled3();
  CHECK(driver.container("app").work == Work::kNothing);
  StartContainer("db", &driver);
  StartContainer("setup", &driver);
  CHECK(driver.snapshot().waiting_reason == "waits for container db to be HEALTHY");
  driver.Send(HealthChecked{"db", driver.container("db").health_checks, true, "ok"});
  CHECK(driver.snapshot().waiting_reason == "waits for container setup to complete");
  driver.Send(Exited{"setup", 0, false, driver.now()});
  CHECK(driver.Find<Create>("app") != nullptr);
}

TEST_CASE("a dependency that can never come true fails the container with the reason",
          "[task][order]") {
  TaskDriver driver = Pulled3();
  StartContainer("setup", &driver);
  driver.Send(Exited{"setup", 4, false, driver.now()});
  CHECK(driver.container("app").reason ==
        "TaskDependencyError: container setup did not end with exit code 0 but with 4");
  CHECK(driver.snapshot().stop_code == v1::StopCode::TaskFailedToStart);
}

TEST_CASE("those who wait for a container lose patience after its startTimeout", "[task][order]") {
  TaskDriver driver = Pulled3();
  driver.Send(Created{"db", driver.attempt("db"), {}, {}});
  driver.Send(Started{"db", driver.attempt("db"), {}, 5});
  CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kStartTimeout, "db", 0}, absl::Seconds(120)}));
  driver.Send(TimerFired{{TimerKey::Kind::kStartTimeout, "db", 0}});
  CHECK(driver.container("app").reason ==
        "TaskDependencyError: container db took longer than its startTimeout of 2m to be HEALTHY");
}

TEST_CASE("containers stop in the reverse order of their dependencies", "[task][order]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  StartContainer("setup", &driver);
  driver.Send(Exited{"setup", 0, false, driver.now()});
  driver.Send(HealthChecked{"db", driver.container("db").health_checks, true, ""});
  StartContainer("app", &driver);
  CHECK(driver.snapshot().last_status == v1::TaskStatus::RUNNING);
  driver.Send(GoalChanged{Goal::kStop, "user", v1::StopCode::UserInitiated});
  CHECK(driver.Find<Signal>("app") != nullptr);
  CHECK(driver.Find<Signal>("db") == nullptr);
  driver.Send(Exited{"app", 143, false, driver.now()});
  CHECK(driver.Find<Signal>("db") != nullptr);
}

TEST_CASE("dependencies that could never be met make no task", "[task][order]") {
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

TEST_CASE("a container that lived long enough is started again in place", "[task][restart]") {
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
  // Late and repeated news of the first end changes nothing.
  driver.Send(Exited{"db", 1, false, ended});
  driver.Send(Observed{
      {{"db", driver.attempt("db"), Sighting::State::kStopped, 0, 1, false, ended}}, true});
  CHECK(driver.container("db").phase == Phase::kRunning);
}

TEST_CASE(
    "a container is not started again if it was too short, its code is ignored, or the task stops",
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

TEST_CASE("health checks follow one another, and only failures in a row make UNHEALTHY",
          "[task][health]") {
  TaskDriver driver = Pulled3();
  driver.Send(Created{"db", driver.attempt("db"), {}, {}});
  driver.Send(Started{"db", driver.attempt("db"), {}, 5});
  CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kHealth, "db", 1}, absl::Seconds(10)}));
  CHECK(driver.Send(TimerFired{{TimerKey::Kind::kHealth, "db", 1}}) ==
        Actions{CheckHealth{"db", 1}});
  driver.Send(HealthChecked{"db", 1, true, "fine"});
  CHECK(driver.container("db").health == Health::kHealthy);
  CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kHealth, "db", 2}, absl::Seconds(10)}));
  driver.Send(HealthChecked{"db", 2, false, "no answer"});
  CHECK(driver.container("db").health == Health::kHealthy);
  driver.Send(HealthChecked{"db", 3, false, "no answer"});
  CHECK(driver.container("db").health == Health::kUnhealthy);
  CHECK(driver.container("db").health_output == "no answer");
  CHECK(driver.Has(Report{}));
  CHECK(HealthOf(driver.snapshot()) == Health::kUnhealthy);
}

TEST_CASE("a check that was not answered says nothing, and is followed by the next",
          "[task][health]") {
  TaskDriver driver = Pulled3();
  StartContainer("db", &driver);
  driver.Send(HealthChecked{"db", 1, true, "fine"});
  for (int number = 2; number < 6; ++number) {
    driver.Send(HealthChecked{"db", number, std::nullopt, ""});
    CHECK(driver.Has(ArmTimer{{TimerKey::Kind::kHealth, "db", number + 1}, absl::Seconds(10)}));
  }
  CHECK(driver.container("db").health == Health::kHealthy);
  CHECK(driver.container("db").health_output == "fine");
}

TEST_CASE("failures in the start period do not count", "[task][health]") {
  ContainerSnapshot container = OrderedContainers().containers[0];
  container.started_at = absl::FromUnixSeconds(100);
  for (int i = 0; i < 5; ++i) NoteHealthCheck(absl::FromUnixSeconds(120), false, "", &container);
  CHECK(container.health == Health::kUnknown);
  NoteHealthCheck(absl::FromUnixSeconds(131), false, "", &container);
  NoteHealthCheck(absl::FromUnixSeconds(141), false, "", &container);
  CHECK(container.health == Health::kUnhealthy);
}

TEST_CASE("what is older than the container's last change is not believed", "[task][recovery]") {
  TaskDriver driver = Pulled3();
  const int before = driver.attempt("db");
  StartContainer("db", &driver);
  driver.Send(Observed{{{"db", before, Sighting::State::kAbsent, 0, {}, false, {}}}, true});
  CHECK(driver.container("db").phase == Phase::kRunning);
}

TEST_CASE("a container made by an agent that lost its memory is adopted as it is",
          "[task][recovery]") {
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
