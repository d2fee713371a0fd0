#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/sim/simulation.h"

namespace davit::sim {

std::string Explain(const Options& options, const Result& result) {
  constexpr size_t kLastLines = 60;
  if (result.failure.empty()) return "";
  std::deque<std::string> lines;
  Options traced = options;
  traced.trace = [&lines](const std::string& line) {
    lines.push_back(line);
    if (lines.size() > kLastLines) lines.pop_front();
  };
  const Result again = Simulation(traced).Run();
  return absl::StrCat("seed ", options.seed, ": ", result.failure, "\n", absl::StrJoin(lines, "\n"),
                      again.failure == result.failure
                          ? ""
                          : absl::StrCat("\nThe repetition took another course: ", again.failure),
                      "\nrepeat with: davit_sim --seed ", options.seed, " --steps ",
                      options.fault_steps, " --trace");
}

}  // namespace davit::sim
