// davit_sim: as many histories of the simulation (tests/sim) as one likes, and how fast they go.
//   davit_sim --seeds 1..100000     stops at the first history that fails, and tells how to repeat
//   it davit_sim --seed 1234 --trace   one history, with all that happens in it
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/log.h"
#include "tests/sim/simulation.h"

namespace davit::sim {
namespace {

struct Arguments {
  std::string seeds = "1..1000";
  uint64_t seed = 0;
  int steps = Options().fault_steps;
  int bug = 0;
  bool trace = false;
  bool goes_on = false;
};

// FIRST..LAST, or one number.
bool ParseSeeds(const std::string& text, uint64_t* first, uint64_t* last) {
  const std::vector<std::string> ends = absl::StrSplit(text, "..");
  return absl::SimpleAtoi(ends.front(), first) && absl::SimpleAtoi(ends.back(), last) &&
         ends.size() <= 2 && *first <= *last;
}

int Run(const Arguments& arguments, uint64_t first, uint64_t last) {
  const auto start = std::chrono::steady_clock::now();
  uint64_t steps = 0, histories = 0, failures = 0, tasks = 0, faults = 0;
  absl::Duration time;
  for (uint64_t seed = first; seed <= last && (failures == 0 || arguments.goes_on); ++seed) {
    Options options;
    options.seed = seed;
    options.fault_steps = arguments.steps;
    options.bug = static_cast<Bug>(arguments.bug);
    if (arguments.trace) options.trace = [](const std::string& line) { std::cerr << line << "\n"; };
    const Result result = Simulation(options).Run();
    ++histories;
    steps += result.steps;
    time += result.time;
    tasks += static_cast<uint64_t>(result.tasks);
    faults += static_cast<uint64_t>(result.faults);
    if (result.failure.empty()) continue;
    ++failures;
    if (arguments.goes_on) {
      std::cout << "seed " << seed << ": " << result.failure << std::endl;
    } else {
      std::cout << Explain(options, result) << std::endl;
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::cout << histories << " histories, " << failures << " failed; " << steps << " steps, "
            << tasks << " tasks, " << faults << " faults, " << absl::ToInt64Hours(time)
            << " hours of the cluster's time in " << seconds
            << " s: " << static_cast<double>(histories) / seconds << " histories/s, "
            << static_cast<double>(steps) / seconds << " steps/s\n";
  return failures == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  CLI::App app{"Histories of a simulated cluster: real controller loop, real agents, fake world."};
  Arguments arguments;
  app.add_option("--seeds", arguments.seeds, "FIRST..LAST")->capture_default_str();
  app.add_option("--seed", arguments.seed, "only this one");
  app.add_option("--steps", arguments.steps, "with faults, per history")->capture_default_str();
  app.add_option("--bug", arguments.bug, "a mistake made on purpose (tests/sim/interference.h)");
  app.add_flag("--trace", arguments.trace, "tell all that happens, with the programs' own logs");
  app.add_flag("--keep-going", arguments.goes_on, "do not stop at a failure");
  CLI11_PARSE(app, argc, argv);
  uint64_t first = arguments.seed, last = arguments.seed;
  if (arguments.seed == 0 && !ParseSeeds(arguments.seeds, &first, &last)) {
    std::cerr << "--seeds: '" << arguments.seeds << "' is not FIRST..LAST\n";
    return 2;
  }
  SetUpLog(arguments.trace ? LogLevel::kDebug : LogLevel::kOff, LogFormat::kLogfmt);
  return Run(arguments, first, last);
}

}  // namespace
}  // namespace davit::sim

int main(int argc, char** argv) { return davit::sim::Main(argc, argv); }
