#ifndef DAVIT_TESTS_FUZZ_RUN_SEEDS_H_
#define DAVIT_TESTS_FUZZ_RUN_SEEDS_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace davit::fuzz {

// Gives `target` each file of corpus/NAME, cut off in many places, and with single bytes changed:
// what a fuzzer would begin with. Deterministic. Returns the number of files.
int RunSeeds(const std::string& name, int (*target)(const uint8_t* data, size_t size));

}  // namespace davit::fuzz

#endif  // DAVIT_TESTS_FUZZ_RUN_SEEDS_H_
