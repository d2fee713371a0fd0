#include "tests/fuzz/run_seeds.h"

#include <filesystem>
#include <random>

#include "base/file.h"

namespace davit::fuzz {
namespace {

using Target = int (*)(const uint8_t* data, size_t size);

constexpr size_t kCuts = 50;
constexpr int kMutations = 300;

// A copy in a block of its own size, so that a sanitizer sees each byte beyond the end.
void Run(Target target, const std::string& input) {
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  target(bytes.data(), bytes.size());
}

}  // namespace

int RunSeeds(const std::string& name, Target target) {
  int seeds = 0;
  std::mt19937 random(1);  // NOLINT: the same in each run
  for (const auto& file : std::filesystem::directory_iterator(DAVIT_FUZZ_CORPUS "/" + name)) {
    const std::string seed = ReadFile(file.path()).value();
    ++seeds;
    Run(target, seed);
    for (size_t cut = 0; cut < kCuts; ++cut) Run(target, seed.substr(0, seed.size() * cut / kCuts));
    for (int i = 0; i < kMutations && !seed.empty(); ++i) {
      std::string changed = seed;
      changed[random() % seed.size()] = static_cast<char>(random() % 256);
      Run(target, changed);
    }
  }
  return seeds;
}

}  // namespace davit::fuzz
