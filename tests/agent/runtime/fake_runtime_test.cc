#include "agent/runtime/fake_runtime.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

namespace davit::runtime {
namespace {

using Code = absl::StatusCode;
using Verb = FakeRuntime::Verb;

// Runs posted work on request.
class ManualExecutor final : public Executor {
 public:
  void Post(Work work) override {
    MutexLock lock(&mu_);
    queue_.push_back(std::move(work));
  }
  void RunAll() {
    for (;;) {
      Work work;
      {
        MutexLock lock(&mu_);
        if (queue_.empty()) return;
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      work();
    }
  }

 private:
  Mutex mu_;
  std::deque<Work> queue_ ABSL_GUARDED_BY(mu_);
};

struct Fixture {
  Fixture() : runtime(Clock::Real(), &executor) {
    REQUIRE(runtime.CreateLease("l", {}).ok());
    REQUIRE(runtime.PrepareRootfs("c1", "l", "sha256:x").ok());
    spec.id = "c1";
  }
  ManualExecutor executor;
  FakeRuntime runtime;
  ContainerSpec spec;
};

TEST_CASE_METHOD(Fixture,
                 "a requested failure affects the given number of calls and changes nothing",
                 "[fake]") {
  runtime.FailNext(Verb::kCreate, absl::UnavailableError("busy"), 2);
  CHECK(runtime.Create(spec).code() == Code::kUnavailable);
  CHECK(runtime.Create(spec).code() == Code::kUnavailable);
  CHECK(runtime.Inspect("c1").status().code() == Code::kNotFound);
  CHECK(runtime.Create(spec).ok());
}

TEST_CASE_METHOD(Fixture, "a call whose answer is lost has taken effect", "[fake]") {
  REQUIRE(runtime.Create(spec).ok());
  runtime.LoseNextAnswer(Verb::kStart);
  CHECK(runtime.Start("c1").status().code() == Code::kUnavailable);
  CHECK(runtime.Start("c1").status().code() == Code::kAlreadyExists);
  CHECK(runtime.StartCount("c1") == 1);
}

TEST_CASE_METHOD(Fixture, "a held call waits for its release", "[fake]") {
  runtime.Hold(Verb::kCreate);
  absl::Status status = absl::UnknownError("not run");
  std::thread caller([&] { status = runtime.Create(spec); });
  while (runtime.HeldCalls() == 0) std::this_thread::yield();
  CHECK(runtime.Inspect("c1").status().code() == Code::kNotFound);  // others are not held
  runtime.Release(Verb::kCreate);
  caller.join();
  CHECK(status.ok());
  CHECK(runtime.HeldCalls() == 0);
}

TEST_CASE_METHOD(Fixture, "events come in order, on the executor, to the latest watcher",
                 "[fake]") {
  std::vector<RuntimeEvent::Kind> first;
  std::vector<RuntimeEvent::Kind> second;
  runtime.Watch([&](const RuntimeEvent& event) { first.push_back(event.kind); });
  CHECK(first.empty());
  executor.RunAll();
  CHECK(first == std::vector{RuntimeEvent::Kind::kConnected});
  runtime.Watch([&](const RuntimeEvent& event) { second.push_back(event.kind); });
  REQUIRE(runtime.Create(spec).ok());
  REQUIRE(runtime.Start("c1").ok());
  runtime.RunOutOfMemory("c1");
  REQUIRE(runtime.Remove("c1").ok());
  executor.RunAll();
  CHECK(first.size() == 1);
  CHECK(second == std::vector{RuntimeEvent::Kind::kConnected, RuntimeEvent::Kind::kOutOfMemory,
                              RuntimeEvent::Kind::kExited, RuntimeEvent::Kind::kRemoved});
}

TEST_CASE_METHOD(Fixture, "an ignored signal is recorded and ends nothing", "[fake]") {
  REQUIRE(runtime.Create(spec).ok());
  REQUIRE(runtime.Start("c1").ok());
  runtime.IgnoreSignal(SIGTERM);
  CHECK(runtime.Signal("c1", SIGTERM, false).ok());
  CHECK(runtime.Inspect("c1")->state == ContainerState::kRunning);
  CHECK(runtime.Signal("c1", SIGKILL, true).ok());
  CHECK(runtime.Inspect("c1")->exit_code == 137);
  CHECK(runtime.Signals("c1") == std::vector<int>{SIGTERM, SIGKILL});
}

TEST_CASE_METHOD(Fixture, "a reboot keeps records and ends processes", "[fake]") {
  REQUIRE(runtime.Create(spec).ok());
  REQUIRE(runtime.Start("c1").ok());
  runtime.Reboot();
  CHECK(runtime.Inspect("c1")->state == ContainerState::kAbsent);
  CHECK(runtime.ListLeases()->size() == 1);
  CHECK(runtime.Snapshots() == std::vector<std::string>{"c1"});
}

TEST_CASE_METHOD(Fixture, "removing a lease removes what no container uses", "[fake]") {
  REQUIRE(runtime.PrepareRootfs("unused", "l", "sha256:x").ok());
  REQUIRE(runtime.Create(spec).ok());
  REQUIRE(runtime.RemoveLease("l").ok());
  CHECK(runtime.Snapshots() == std::vector<std::string>{"c1"});
}

}  // namespace
}  // namespace davit::runtime
