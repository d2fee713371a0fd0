#include "agent/task/task_machine.h"

#include <catch2/catch.hpp>

#include "agent/task/task_plan.h"
#include "tests/agent/task/task_driver.h"

namespace davit::task {
namespace {

constexpr char kOom[] = "OutOfMemoryError: Container killed due to memory usage";

Outcome Failed(const std::string& reason) { return {Outcome::Kind::kFailed, reason}; }
Outcome Retry(const std::string& reason) { return {Outcome::Kind::kRetry, reason}; }

TEST_CASE("a task waits for resources, then for its host state, then pulls all images at once",
          "[task]") {
  TaskDriver driver(TwoContainers());
  CHECK(driver.Send(GoalChanged{Goal::kRun, "", {}}) == Actions{Admit{}});
  CHECK(driver.Send(Admitted{}) == Actions{Persist{}, Provision{2}});
  CHECK(driver.Send(Provisioned{2, {}}) == Actions{Pull{"web", 1}, Pull{"sidecar", 1}});
  CHECK(driver.snapshot().last_status == v1::TaskStatus::PENDING);
}

TEST_CASE("the intent to start is durable before the process may run", "[task]") {
  TaskDriver driver(OneContainer());
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{});
  driver.Send(Provisioned{2, {}});
  driver.Send(Pulled{"web", 1, {}, "sha256:1"});
  const Actions& actions = driver.Send(Created{"web", 2, {}, {}});
  CHECK(actions == Actions{Persist{}, Start{"web", 3}, Report{}});
}

TEST_CASE("a task is RUNNING once each of its containers was started", "[task]") {
  TaskDriver driver(TwoContainers());
  driver.Run();
  CHECK(driver.snapshot().last_status == v1::TaskStatus::RUNNING);
  CHECK(driver.Has(Report{}));
  CHECK(driver.snapshot().started_at == driver.now());
  CHECK(driver.container("web").pid == 100);
}

TEST_CASE(
    "a task that ignores its stop signal is killed after its grace period, then past the runtime",
    "[task]") {
  TaskDriver driver(OneContainer());
  driver.Run();
  driver.mutable_snapshot()->containers[0].stop_signal = 3;
  const Actions& stop = driver.Send(GoalChanged{Goal::kStop, "user", v1::StopCode::UserInitiated});
  CHECK(stop == Actions{Signal{"web", 3, false},
                        ArmTimer{{TimerKey::Kind::kStop, "web", 1}, absl::Seconds(10)}, Report{},
                        Persist{}});
  const Actions& kill = driver.Send(TimerFired{{TimerKey::Kind::kStop, "web", 1}});
  CHECK(kill == Actions{Signal{"web", 9, false},
                        ArmTimer{{TimerKey::Kind::kStop, "web", 2}, kKillInterval}});
  driver.Send(TimerFired{{TimerKey::Kind::kStop, "web", 2}});
  CHECK(driver.Has(Signal{"web", 9, true}));
  CHECK(driver.Has(Observe{}));
  CHECK(driver.snapshot().waiting_reason == "container web does not die of SIGKILL");
}

TEST_CASE("after its containers have ended a task is removed from the host and only then STOPPED",
          "[task]") {
  TaskDriver driver(OneContainer());
  driver.Run();
  driver.Send(GoalChanged{Goal::kStop, "bye", v1::StopCode::UserInitiated});
  driver.Send(Exited{"web", 143, false, driver.now()});
  CHECK(driver.snapshot().last_status == v1::TaskStatus::DEPROVISIONING);
  const auto* deprovision = driver.Find<Deprovision>();
  REQUIRE(deprovision != nullptr);
  CHECK(driver.actions().front() ==
        Action(Persist{}));  // the exit code, before the runtime forgets it
  const Actions& last = driver.Send(Deprovisioned{deprovision->attempt, {}});
  CHECK(last == Actions{Persist{}, Release{}, Report{}});
  CHECK(driver.snapshot().last_status == v1::TaskStatus::STOPPED);
  CHECK(driver.snapshot().stopped_reason == "bye");
  CHECK(driver.container("web").exit_code == 143);
}

TEST_CASE("a container that ends before its start is acknowledged counts as started", "[task]") {
  TaskDriver driver(OneContainer());
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{});
  driver.Send(Provisioned{2, {}});
  driver.Send(Pulled{"web", 1, {}, ""});
  driver.Send(Created{"web", 2, {}, {}});
  driver.Send(Exited{"web", 0, false, driver.now()});
  CHECK(driver.snapshot().started_at.has_value());
  CHECK(driver.snapshot().stop_code == v1::StopCode::EssentialContainerExited);
}

TEST_CASE("an essential container's exit stops the others", "[task]") {
  TaskDriver driver(TwoContainers());
  driver.Run();
  driver.Send(Exited{"web", 0, false, driver.now()});
  CHECK(driver.snapshot().goal == Goal::kStop);
  CHECK(driver.snapshot().stop_code == v1::StopCode::EssentialContainerExited);
  CHECK(driver.snapshot().stopped_reason == "Essential container in task exited");
  CHECK(driver.Find<Signal>("sidecar") != nullptr);
}

TEST_CASE("a container that is not essential may end without the task", "[task]") {
  TaskDriver driver(TwoContainers());
  driver.Run();
  driver.Send(Exited{"sidecar", 1, false, driver.now()});
  CHECK(driver.snapshot().goal == Goal::kRun);
  CHECK(driver.snapshot().last_status == v1::TaskStatus::RUNNING);
  CHECK(driver.Has(Report{}));
}

TEST_CASE("only a container that died of it is reported as out of memory", "[task]") {
  TaskDriver died(OneContainer());
  died.Run();
  died.Send(Exited{"web", 137, true, died.now()});
  CHECK(died.container("web").reason == kOom);
  TaskDriver survived(OneContainer());  // a child was killed, the container ended well
  survived.Run();
  survived.Send(Exited{"web", 0, true, survived.now()});
  CHECK(survived.container("web").reason.empty());
}

TEST_CASE("a stop does not wait for a pull, whose late result changes nothing", "[task]") {
  TaskDriver driver(OneContainer());
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{});
  driver.Send(Provisioned{2, {}});
  driver.Send(GoalChanged{Goal::kStop, "user", v1::StopCode::UserInitiated});
  CHECK(driver.Has(CancelPull{"web"}));
  CHECK(driver.Find<Deprovision>() != nullptr);
  const TaskSnapshot before = driver.snapshot();
  CHECK(driver.Send(Pulled{"web", 1, {}, "sha256:late"}).empty());
  CHECK(driver.snapshot() == before);
}

TEST_CASE("a stop in the queue leaves nothing to remove", "[task]") {
  TaskDriver driver(OneContainer());
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{Retry("RESOURCE:MEMORY: needs 2 MiB, 1 of 4 MiB are free")});
  CHECK(driver.snapshot().waiting_reason == "RESOURCE:MEMORY: needs 2 MiB, 1 of 4 MiB are free");
  CHECK(driver.Send(GoalChanged{Goal::kStop, "user", v1::StopCode::UserInitiated}) ==
        Actions{Persist{}, Release{}, Report{}});
  CHECK(driver.snapshot().last_status == v1::TaskStatus::STOPPED);
}

TEST_CASE("a stop during a create or a start waits for its result, then stops what there is",
          "[task]") {
  TaskDriver driver(OneContainer());
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{});
  driver.Send(Provisioned{2, {}});
  driver.Send(Pulled{"web", 1, {}, ""});
  driver.Send(Created{"web", 2, {}, {}});
  driver.Send(GoalChanged{Goal::kStop, "user", v1::StopCode::UserInitiated});
  CHECK(driver.Find<Signal>() == nullptr);
  CHECK(driver.Find<Deprovision>() == nullptr);
  driver.Send(Started{"web", 3, {}, 7});
  CHECK(driver.Find<Signal>("web") != nullptr);
}

TEST_CASE("a failed pull stops the task with the reason on the container", "[task]") {
  TaskDriver driver(TwoContainers());
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{});
  driver.Send(Provisioned{2, {}});
  driver.Send(Pulled{"web", 1, Failed("CannotPullContainerError: no such image"), ""});
  CHECK(driver.container("web").reason == "CannotPullContainerError: no such image");
  CHECK_FALSE(driver.container("web").exit_code.has_value());
  CHECK(driver.snapshot().stop_code == v1::StopCode::TaskFailedToStart);
  CHECK(driver.Has(CancelPull{"sidecar"}));
}

TEST_CASE("retryable work is retried with growing delays", "[task]") {
  TaskDriver driver(OneContainer());
  driver.Send(GoalChanged{Goal::kRun, "", {}});
  driver.Send(Admitted{});
  driver.Send(Provisioned{2, Retry("ResourceInitializationError: containerd is away")});
  const auto* first = driver.Find<ArmTimer>();
  REQUIRE(first != nullptr);
  CHECK(first->delay == RetryDelay(1));
  CHECK(driver.snapshot().waiting_reason == "ResourceInitializationError: containerd is away");
  driver.Send(TimerFired{first->key});
  const auto* again = driver.Find<Provision>();
  REQUIRE(again != nullptr);
  driver.Send(
      Provisioned{again->attempt, Retry("ResourceInitializationError: containerd is away")});
  CHECK(driver.Find<ArmTimer>()->delay == RetryDelay(2));
}

TEST_CASE("a start without an answer is inspected before anything else happens", "[task]") {
  TaskDriver driver(OneContainer());
  driver.Run();
  TaskSnapshot starting = driver.snapshot();
  starting.containers[0].phase = Phase::kCreated;
  starting.containers[0].work = Work::kStart;
  const int attempt = starting.containers[0].attempt;
  TaskDriver uncertain(starting);
  uncertain.Send(Started{"web", attempt, Retry("CannotStartContainerError: deadline"), 0});
  CHECK(uncertain.Has(Observe{}));
  SECTION("it runs") {
    uncertain.Send(Observed{
        {{"web", uncertain.attempt("web"), Sighting::State::kRunning, 77, {}, false, {}}}, true});
    CHECK(uncertain.container("web").phase == Phase::kRunning);
    CHECK(uncertain.container("web").pid == 77);
  }
  SECTION("it was not started: it is now") {
    uncertain.Send(Observed{
        {{"web", uncertain.attempt("web"), Sighting::State::kCreated, 0, {}, false, {}}}, true});
    CHECK(uncertain.Find<Start>("web") != nullptr);
  }
  SECTION("the runtime cannot tell either: it is asked again") {
    uncertain.Send(Observed{
        {{"web", uncertain.attempt("web"), Sighting::State::kUnknown, 0, {}, false, {}}}, true});
    CHECK(uncertain.Find<Start>("web") == nullptr);
    CHECK(uncertain.container("web").phase == Phase::kCreated);
    REQUIRE(uncertain.Find<ArmTimer>() != nullptr);
    uncertain.Send(TimerFired{uncertain.Find<ArmTimer>()->key});
    CHECK(uncertain.actions() == Actions{Observe{}});
  }
  SECTION("it is to stop meanwhile: not before a look has told whether it runs") {
    uncertain.Send(GoalChanged{Goal::kStop, "enough", v1::StopCode::UserInitiated});
    uncertain.Send(TimerFired{{TimerKey::Kind::kRetry, "web", uncertain.attempt("web")}});
    CHECK(uncertain.actions() == Actions{Observe{}});
    uncertain.Send(Observed{
        {{"web", uncertain.attempt("web"), Sighting::State::kRunning, 77, {}, false, {}}}, true});
    CHECK(uncertain.Find<Signal>("web") != nullptr);
  }
  SECTION("it is gone: it is never started again") {
    uncertain.Send(Observed{
        {{"web", uncertain.attempt("web"), Sighting::State::kNoTask, 0, {}, false, {}}}, true});
    CHECK(uncertain.container("web").phase == Phase::kStopped);
    CHECK(uncertain.snapshot().goal == Goal::kStop);
  }
}

TEST_CASE("a restarted agent inspects the runtime before it does anything", "[task][recovery]") {
  TaskDriver driver(OneContainer());
  driver.Run();
  Step step = Recover(driver.snapshot());
  CHECK(step.actions == Actions{Observe{}});
  TaskDriver restarted(step.next);
  CHECK(restarted.Send(GoalChanged{Goal::kRun, "", {}}).empty());
  SECTION("the container runs: it is left alone") {
    restarted.Send(Observed{
        {{"web", restarted.attempt("web"), Sighting::State::kRunning, 100, {}, false, {}}}, true});
    CHECK(restarted.actions() == Actions{Admit{}});
    CHECK(restarted.Send(Admitted{}).empty());
    CHECK(restarted.snapshot().last_status == v1::TaskStatus::RUNNING);
  }
  SECTION("it ended meanwhile: its exit code is kept") {
    restarted.Send(Observed{{{"web", restarted.attempt("web"), Sighting::State::kStopped, 0, 3,
                              false, restarted.now()}},
                            true});
    CHECK(restarted.container("web").exit_code == 3);
    CHECK(restarted.snapshot().goal == Goal::kStop);
  }
  SECTION("the host was restarted: it is STOPPED and says so") {
    restarted.Send(Observed{
        {{"web", restarted.attempt("web"), Sighting::State::kNoTask, 0, {}, false, {}}}, false});
    CHECK(restarted.container("web").reason == "ContainerVanishedError: the host was restarted");
    CHECK_FALSE(restarted.container("web").exit_code.has_value());
  }
}

TEST_CASE("a container that was created but never started is created again after a restart",
          "[task][recovery]") {
  TaskSnapshot created = OneContainer();
  created.owns_host_state = created.provisioned = true;
  created.containers[0].phase = Phase::kCreated;
  TaskDriver restarted(Recover(created).next);
  restarted.Send(Observed{
      {{"web", restarted.attempt("web"), Sighting::State::kAbsent, 0, {}, false, {}}}, true});
  restarted.Send(Admitted{});
  CHECK(restarted.Find<Pull>("web") != nullptr);
}

TEST_CASE("a creation without an answer is retried, whatever an inspection shows",
          "[task][recovery]") {
  const auto state = GENERATE(Sighting::State::kCreated, Sighting::State::kUnknown);
  TaskSnapshot creating = OneContainer();
  creating.admitted = creating.observed = creating.provisioned = creating.owns_host_state = true;
  creating.containers[0].phase = Phase::kPulled;
  creating.containers[0].work = Work::kCreate;
  SECTION("of a runtime that was slow") {
    TaskDriver driver(creating);
    driver.Send(
        Created{"web", driver.attempt("web"), Retry("CannotCreateContainerError: deadline"), {}});
    driver.Send(Observed{{{"web", driver.attempt("web"), state, 0, {}, false, {}}}, true});
    CHECK(driver.container("web").phase == Phase::kPulled);
    driver.Send(TimerFired{{TimerKey::Kind::kRetry, "web", driver.attempt("web")}});
    CHECK(driver.Find<Create>("web") != nullptr);
  }
  SECTION("of an agent that was killed") {
    TaskDriver driver(Recover(creating).next);
    driver.Send(Observed{{{"web", driver.attempt("web"), state, 0, {}, false, {}}}, true});
    driver.Send(Admitted{});
    REQUIRE(driver.Find<Pull>("web") != nullptr);
    driver.Send(Pulled{"web", driver.attempt("web"), {}, "sha256:1"});
    REQUIRE(driver.Find<Create>("web") != nullptr);
    driver.Send(Created{"web", driver.attempt("web"), {}, {{"0.0.0.0", 80, 32768, "tcp"}}});
    CHECK(driver.container("web").network_bindings.size() == 1);
  }
}

TEST_CASE("an interrupted creation is not a life: the container is created again",
          "[task][recovery]") {
  TaskSnapshot half_made = OneContainer();
  half_made.owns_host_state = half_made.provisioned = true;
  TaskDriver restarted(Recover(half_made).next);
  SECTION("seen by the look after the restart") {
    restarted.Send(Observed{{{"web", restarted.attempt("web"), Sighting::State::kStopped, 0, 137,
                              false, restarted.now()}},
                            true});
    restarted.Send(Admitted{});
  }
  SECTION("heard of while the image is looked up") {
    restarted.Send(Observed{
        {{"web", restarted.attempt("web"), Sighting::State::kCreated, 0, {}, false, {}}}, true});
    restarted.Send(Admitted{});
    restarted.Send(Exited{"web", 137, false, restarted.now()});
  }
  CHECK_FALSE(restarted.container("web").exit_code.has_value());
  CHECK(restarted.snapshot().goal == Goal::kRun);
  restarted.Send(Pulled{"web", restarted.attempt("web"), {}, "sha256:1"});
  REQUIRE(restarted.Find<Create>("web") != nullptr);
  CHECK(restarted.Find<Create>("web")->again);
  CHECK_FALSE(restarted.container("web").has_remains);
}

TEST_CASE("a finished task ignores everything", "[task]") {
  TaskDriver driver(OneContainer());
  driver.Send(GoalChanged{Goal::kStop, "never ran", v1::StopCode::UserInitiated});
  REQUIRE(driver.snapshot().finished);
  const TaskSnapshot finished = driver.snapshot();
  CHECK(driver.Send(GoalChanged{Goal::kRun, "", {}}).empty());
  CHECK(driver.Send(Exited{"web", 0, false, driver.now()}).empty());
  CHECK(driver.Send(ContainerRemoved{"web"}).empty());
  CHECK(driver.snapshot() == finished);
  CHECK(Recover(finished).actions.empty());
}

TEST_CASE("removal is retried until it succeeds, and the task says what blocks it", "[task]") {
  TaskDriver driver(OneContainer());
  driver.Run();
  driver.Send(Exited{"web", 0, false, driver.now()});
  const int attempt = driver.Find<Deprovision>()->attempt;
  driver.Send(Deprovisioned{attempt, Retry("CannotRemoveContainerError: busy")});
  CHECK(driver.snapshot().last_status == v1::TaskStatus::DEPROVISIONING);
  CHECK(driver.snapshot().waiting_reason == "CannotRemoveContainerError: busy");
  const TimerKey key = driver.Find<ArmTimer>()->key;
  driver.Send(TimerFired{key});
  CHECK(driver.Find<Deprovision>() != nullptr);
}

TEST_CASE("an undelivered signal is sent again; a signal to no process causes an inspection",
          "[task]") {
  TaskDriver driver(OneContainer());
  driver.Run();
  driver.Send(GoalChanged{Goal::kStop, "user", v1::StopCode::UserInitiated});
  driver.Send(Signalled{"web", Retry("CannotStopContainerError: containerd is away")});
  const TimerKey key = driver.Find<ArmTimer>("")->key;
  driver.Send(TimerFired{key});
  CHECK(driver.Find<Signal>("web") != nullptr);
  driver.Send(Signalled{"web", Failed("CannotStopContainerError: no such process")});
  CHECK(driver.Has(Observe{}));
}

}  // namespace
}  // namespace davit::task
