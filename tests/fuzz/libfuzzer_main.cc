// The entry point of libFuzzer (https://llvm.org/docs/LibFuzzer.html); DAVIT_FUZZ_FUNCTION names
// ours.
#include "tests/fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return davit::fuzz::DAVIT_FUZZ_FUNCTION(data, size);
}
