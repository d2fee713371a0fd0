#include "tests/sim/simulation.h"

#include <catch2/catch.hpp>

#include "base/log.h"

namespace davit::sim {
namespace {

constexpr uint64_t kHistories = 3000;

// Turns the log off: the programs under test complain about every fault.
void Silence() { SetUpLog(LogLevel::kOff, LogFormat::kLogfmt); }

// The failure of the first history that shows the bug; empty: none does.
std::string FirstFailure(Bug bug, uint64_t histories) {
  for (uint64_t seed = 1; seed <= histories; ++seed) {
    Options options;
    options.seed = seed;
    options.bug = bug;
    const Result result = Simulation(options).Run();
    if (!result.failure.empty()) return result.failure;
  }
  return "";
}

TEST_CASE("whatever fails, tasks run once, end as reported, and leave nothing behind", "[sim]") {
  Silence();
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    Options options;
    options.seed = seed;
    const Result result = Simulation(options).Run();
    if (!result.failure.empty()) FAIL(Explain(options, result));
  }
}

TEST_CASE("a history can be repeated exactly", "[sim]") {
  Silence();
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::vector<std::string> traces[2];
    for (std::vector<std::string>& trace : traces) {
      Options options;
      options.seed = seed;
      options.trace = [&trace](const std::string& line) { trace.push_back(line); };
      Simulation(options).Run();
    }
    CHECK(traces[0].size() > 5);
    CHECK(traces[0] == traces[1]);
  }
}

TEST_CASE("the checks find deliberate bugs", "[sim]") {
  Silence();
  for (const Bug bug :
       {Bug::kStoreAnswersEarly, Bug::kStartsTwice, Bug::kWrongExitCode, Bug::kLeaseStays,
        Bug::kReportsLost, Bug::kStrangersKilled, Bug::kForeignStateKept, Bug::kPolicyForgotten,
        Bug::kRestartsTooSoon, Bug::kOrderForgotten, Bug::kSaidToBeHealthy, Bug::kDialsAtOnce}) {
    CAPTURE(static_cast<int>(bug));
    CHECK(FirstFailure(bug, 300) != "");
  }
}

}  // namespace
}  // namespace davit::sim
