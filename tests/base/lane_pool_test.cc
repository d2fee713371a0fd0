#include "base/lane_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>

#include "absl/synchronization/notification.h"
#include "tests/support/fake_time.h"

namespace davit {
namespace {

// A call that hangs until it is let go.
struct Hang {
  absl::Notification began;
  absl::Notification thaw;
  Work AsWork() {
    return [this] {
      began.Notify();
      thaw.WaitForNotification();
    };
  }
};

struct World {
  test::FakeClock clock;
  test::FakeExecutor control;
  test::FakeTimers timers{&clock};
  BlockingCalls calls{&clock, &timers, &control};

  std::unique_ptr<LanePool> Pool(LanePool::Options options) {
    options.name = "test";
    return std::make_unique<LanePool>(options, LanePool::Deps{&clock, &timers, &control, &calls});
  }
  void Pass(absl::Duration time) { test::Pass(time, &clock, &timers, &control); }
};

// Threads of this process.
auto ThreadCount() {
  const std::filesystem::directory_iterator entries("/proc/self/task");
  return std::distance(begin(entries), end(entries));
}

TEST_CASE("a lane pool runs all that was posted before it is destroyed", "[lane_pool]") {
  World world;
  std::atomic<int> ran{0};
  {
    const auto pool = world.Pool({.threads = 3});
    for (int i = 0; i < 1000; ++i) pool->Post({std::to_string(i % 7), "x"}, [&] { ++ran; });
  }
  CHECK(ran == 1000);
}

TEST_CASE("hung calls of one lane leave threads to the others", "[lane_pool]") {
  World world;
  const auto pool = world.Pool({.threads = 3, .calls_per_lane = 2});
  std::vector<Hang> hangs(10);
  for (Hang& hang : hangs) pool->Post({"frozen", "x"}, hang.AsWork());
  hangs[0].began.WaitForNotification();
  hangs[1].began.WaitForNotification();
  absl::Notification done;
  pool->Post({"innocent", "x"}, [&] { done.Notify(); });
  done.WaitForNotification();
  CHECK(pool->Depth() == 8);
  for (Hang& hang : hangs) hang.thaw.Notify();
  pool->Stop();
  for (Hang& hang : hangs) CHECK(hang.began.HasBeenNotified());
}

TEST_CASE("hung calls of many lanes are replaced, and the threads go when they return",
          "[lane_pool]") {
  World world;
  const auto threads_before = ThreadCount();
  const auto pool = world.Pool({.threads = 2, .long_call = absl::Seconds(2)});
  std::vector<Hang> hangs(8);
  for (size_t i = 0; i < hangs.size(); ++i) pool->Post({std::to_string(i), "x"}, hangs[i].AsWork());
  absl::Notification done;
  pool->Post({"innocent", "x"}, [&] { done.Notify(); });
  for (size_t i = 0; i < hangs.size(); i += 2) {  // the pool finds out two by two
    hangs[i].began.WaitForNotification();
    hangs[i + 1].began.WaitForNotification();
    CHECK(pool->LongCalls() == i);
    CHECK_FALSE(done.HasBeenNotified());
    world.Pass(absl::Seconds(2));
  }
  done.WaitForNotification();
  CHECK(pool->LongCalls() == 8);
  for (Hang& hang : hangs) hang.thaw.Notify();
  while (ThreadCount() > threads_before + 2) std::this_thread::yield();
  CHECK(pool->LongCalls() == 0);
}

TEST_CASE("a call that was queued behind a lane's hung calls runs when they return",
          "[lane_pool]") {
  World world;
  const auto pool = world.Pool({.threads = 4, .calls_per_lane = 1});
  Hang hang;
  absl::Notification next;
  pool->Post({"t1", "x"}, hang.AsWork());
  pool->Post({"t1", "x"}, [&] { next.Notify(); });
  hang.began.WaitForNotification();
  world.Pass(absl::Hours(1));
  CHECK_FALSE(next.HasBeenNotified());
  CHECK(pool->Depth() == 1);
  hang.thaw.Notify();
  next.WaitForNotification();
}

TEST_CASE("with very many long calls, lanes that have one wait and others do not", "[lane_pool]") {
  World world;
  const auto pool = world.Pool(
      {.threads = 2, .calls_per_lane = 2, .long_call = absl::Seconds(2), .max_long_calls = 3});
  std::vector<Hang> hangs(4);
  for (size_t i = 0; i < 4; ++i) pool->Post({std::to_string(i), "x"}, hangs[i].AsWork());
  for (size_t i = 0; i < 4; i += 2) {
    hangs[i].began.WaitForNotification();
    hangs[i + 1].began.WaitForNotification();
    world.Pass(absl::Seconds(2));
  }
  absl::Notification of_hung_lane;
  absl::Notification of_innocent;
  pool->Post({"0", "x"}, [&] { of_hung_lane.Notify(); });
  pool->Post({"innocent", "x"}, [&] { of_innocent.Notify(); });
  world.Pass(absl::Seconds(2));
  of_innocent.WaitForNotification();
  CHECK(pool->LongCalls() == 4);
  CHECK(pool->Depth() == 1);
  CHECK_FALSE(of_hung_lane.HasBeenNotified());
  hangs[3].thaw.Notify();
  hangs[2].thaw.Notify();
  of_hung_lane.WaitForNotification();  // two long calls are left: there is room again
  for (size_t i = 0; i < 2; ++i) hangs[i].thaw.Notify();
}

TEST_CASE("lanes take turns", "[lane_pool]") {
  World world;
  const auto pool = world.Pool({.threads = 1});
  Hang hang;
  std::vector<std::string> order;  // one thread: no lock
  pool->Post({"busy", "x"}, hang.AsWork());
  hang.began.WaitForNotification();
  for (int i = 0; i < 3; ++i) pool->Post({"busy", "x"}, [&] { order.push_back("busy"); });
  pool->Post({"other", "x"}, [&] { order.push_back("other"); });
  hang.thaw.Notify();
  pool->Stop();
  CHECK(order == std::vector<std::string>{"busy", "other", "busy", "busy"});
}

TEST_CASE("what hangs in a pool is named", "[lane_pool]") {
  World world;
  const auto pool = world.Pool({});
  Hang hang;
  pool->Post({"t1", "provisioning"}, [&] {
    const Doing step("making folder ", "/mnt/x");
    hang.AsWork()();
  });
  hang.began.WaitForNotification();
  world.Pass(absl::Seconds(10));
  REQUIRE(world.calls.Stuck().size() == 1);
  CHECK(world.calls.Stuck()[0].what == "provisioning: making folder /mnt/x");
  hang.thaw.Notify();
  pool->Stop();
  CHECK(world.calls.Stuck().empty());
}

TEST_CASE("a lane pool without work has no threads and no timers", "[lane_pool]") {
  World world;
  const auto before = ThreadCount();
  const auto pool = world.Pool({});
  CHECK(ThreadCount() == before);
  CHECK(world.timers.size() == 0);
}

TEST_CASE("work that comes after a lane pool's Stop is destroyed and not run", "[lane_pool]") {
  World world;
  const auto pool = world.Pool({});
  pool->Stop();
  pool->Stop();
  auto token = std::make_shared<int>(0);
  pool->Post({"t1", "x"}, [token] { ++*token; });
  CHECK(token.use_count() == 1);
  CHECK(*token == 0);
}

TEST_CASE("what running work posts to its own lane is run although the pool is being stopped",
          "[lane_pool]") {
  World world;
  std::atomic<int> ran{0};
  const auto pool = world.Pool({.threads = 2, .calls_per_lane = 1});
  Hang hang;
  pool->Post({"t1", "x"}, [&] {
    hang.AsWork()();
    for (int i = 0; i < 10; ++i) pool->Post({"t1", "x"}, [&] { ++ran; });
  });
  hang.began.WaitForNotification();
  hang.thaw.Notify();
  pool->Stop();
  CHECK(ran == 10);
}

}  // namespace
}  // namespace davit
