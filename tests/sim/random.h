#ifndef DAVIT_TESTS_SIM_RANDOM_H_
#define DAVIT_TESTS_SIM_RANDOM_H_

#include <cstdint>
#include <random>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace davit::sim {

// The source of every choice in a history. The same seed makes the same choices with every standard
// library; std's distributions differ between libraries and are not used. Not thread-safe.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  uint64_t Next() { return engine_(); }
  // 0 .. bound - 1.
  size_t Below(size_t bound) { return static_cast<size_t>(Next() % bound); }
  double Uniform() { return static_cast<double>(Next() >> 11) / 9007199254740992.0; }  // [0, 1)
  bool Chance(double probability) { return Uniform() < probability; }
  absl::Duration Within(absl::Duration limit) { return absl::Microseconds(1) + limit * Uniform(); }
  // As ECS's ids are: 32 hexadecimal digits.
  std::string Hex32() {
    const uint64_t high = Next();
    return absl::StrFormat("%016x%016x", high, Next());
  }
  // A separate source, so that the draws of one part do not change those of another.
  Random Fork() { return Random(Next()); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_RANDOM_H_
