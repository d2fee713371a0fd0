#include "base/blocking_calls.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_time.h"

namespace davit {
namespace {

struct World {
  test::FakeClock clock;
  test::FakeExecutor control;
  test::FakeTimers timers{&clock};
  std::vector<std::string> news;  // "stuck: what", "goes on: what"
  BlockingCalls calls{&clock, &timers, &control};

  World() {
    calls.Observe([this](const StuckCall& call, bool is_stuck) {
      news.push_back((is_stuck ? "stuck: " : "goes on: ") + call.what);
    });
  }
  void Pass(absl::Duration time) { test::Pass(time, &clock, &timers, &control); }
};

TEST_CASE("a call that outlasts its patience is stuck until it returns", "[blocking_calls]") {
  World world;
  {
    const BlockingCalls::Scope call(&world.calls, {"t1", "creating container web"});
    const absl::Time began = world.clock.Now();
    world.Pass(absl::Seconds(9));
    CHECK(world.calls.Stuck().empty());
    world.Pass(absl::Seconds(1));
    REQUIRE(world.calls.Stuck().size() == 1);
    CHECK(world.calls.Stuck()[0].lane == "t1");
    CHECK(world.calls.Stuck()[0].what == "creating container web");
    CHECK(world.calls.Stuck()[0].since == began);
    CHECK(world.news == std::vector<std::string>{"stuck: creating container web"});
    world.Pass(absl::Hours(1));
    CHECK(world.news.size() == 1);  // told once
  }
  CHECK(world.calls.Stuck().empty());
  world.Pass(absl::ZeroDuration());
  CHECK(world.news == std::vector<std::string>{"stuck: creating container web",
                                               "goes on: creating container web"});
}

TEST_CASE("a call that returns in time is never spoken of", "[blocking_calls]") {
  World world;
  for (int i = 0; i < 3; ++i) {
    const BlockingCalls::Scope call(&world.calls, {"t1", "quick"});
    world.Pass(absl::Seconds(9));
  }
  world.Pass(absl::Hours(1));
  CHECK(world.news.empty());
  CHECK(world.timers.size() == 0);  // an idle program has nothing to wake up for
}

TEST_CASE("the step that hangs is named, and each step has its own time", "[blocking_calls]") {
  World world;
  const BlockingCalls::Scope call(&world.calls, {"t1", "copying"});
  for (int i = 0; i < 5; ++i) {
    const Doing step("file ", i);
    world.Pass(absl::Seconds(9));
  }
  CHECK(world.news.empty());
  {
    const Doing folder("folder /a");
    const Doing file("file /a/b");
    world.Pass(absl::Seconds(10));
    CHECK(world.calls.Stuck().at(0).what == "copying: file /a/b");
  }
  world.Pass(absl::Seconds(1));
  CHECK(world.calls.Stuck().empty());
  CHECK(world.news ==
        std::vector<std::string>{"stuck: copying: file /a/b", "goes on: copying: file /a/b"});
  world.Pass(absl::Seconds(9));
  CHECK(world.calls.Stuck().at(0).what == "copying");  // outside of all steps
}

TEST_CASE("patience is the call's own, whichever began first", "[blocking_calls]") {
  World world;
  const BlockingCalls::Scope pull(&world.calls, {"t1", "pulling", absl::InfiniteDuration()});
  const BlockingCalls::Scope slow(&world.calls, {"t1", "checking", absl::Minutes(2)});
  const BlockingCalls::Scope quick(&world.calls, {"t2", "starting", absl::Seconds(5)});
  world.Pass(absl::Seconds(5));
  CHECK(world.news == std::vector<std::string>{"stuck: starting"});
  world.Pass(absl::Minutes(2));
  CHECK(world.news == std::vector<std::string>{"stuck: starting", "stuck: checking"});
  world.Pass(absl::Hours(9));
  CHECK(world.news.size() == 2);
}

TEST_CASE("a step outside of any call is nobody's", "[blocking_calls]") {
  World world;
  const Doing step("reading a file");
  world.Pass(absl::Hours(1));
  CHECK(world.calls.Stuck().empty());
}

TEST_CASE("of several stuck calls the oldest comes first", "[blocking_calls]") {
  World world;
  const BlockingCalls::Scope first(&world.calls, {"t1", "first", absl::Seconds(60)});
  world.Pass(absl::Seconds(1));
  const BlockingCalls::Scope second(&world.calls, {"t2", "second"});
  world.Pass(absl::Seconds(100));
  REQUIRE(world.calls.Stuck().size() == 2);
  CHECK(world.calls.Stuck()[0].what == "first");
}

}  // namespace
}  // namespace davit
