#include "tests/sim/fleet.h"

#include <catch2/catch.hpp>

#include "base/log.h"

namespace davit::sim {
namespace {

// Turns the log off: the controller complains about every fault.
void Silence() { SetUpLog(LogLevel::kOff, LogFormat::kLogfmt); }

TEST_CASE("hundreds of hosts, a disk that fails and a controller that dies lose nothing", "[sim]") {
  Silence();
  int restarts = 0;
  int reloads = 0;
  int tasks = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    FleetOptions options;
    options.seed = seed;
    options.hosts = seed % 4 == 0 ? 500 : 100;
    const FleetResult result = RunFleet(options);
    if (!result.failure.empty()) FAIL(result.failure);
    restarts += result.restarts;
    reloads += result.reloads;
    tasks += result.tasks;
  }
  // It was no quiet history.
  CHECK(restarts > 100);
  CHECK(reloads > 100);
  CHECK(tasks > 5000);
}

TEST_CASE("the fleet's checks find deliberate bugs", "[sim]") {
  Silence();
  for (const FleetBug bug :
       {FleetBug::kCommitLost, FleetBug::kMessageLost, FleetBug::kEndForgotten}) {
    CAPTURE(static_cast<int>(bug));
    std::string failure;
    for (uint64_t seed = 1; seed <= 20 && failure.empty(); ++seed) {
      FleetOptions options;
      options.seed = seed;
      options.hosts = 100;
      options.bug = bug;
      failure = RunFleet(options).failure;
    }
    CHECK(failure != "");
  }
}

}  // namespace
}  // namespace davit::sim
