#ifndef DAVIT_TESTS_FUZZ_FUZZ_TARGETS_H_
#define DAVIT_TESTS_FUZZ_FUZZ_TARGETS_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>

// The entry points: each gives any bytes to one parser of foreign input, and aborts if what must
// hold of the answer does not. 0 always, as libFuzzer wants it. Pure but for CPU and memory; throw
// nothing.
namespace davit::fuzz {

int FuzzAgentMessage(const uint8_t* data, size_t size);
int FuzzApiJson(const uint8_t* data, size_t size);
int FuzzAuthChallenge(const uint8_t* data, size_t size);
int FuzzCgroupMounts(const uint8_t* data, size_t size);
int FuzzCniResult(const uint8_t* data, size_t size);
int FuzzConfig(const uint8_t* data, size_t size);
int FuzzControllerMessage(const uint8_t* data, size_t size);
int FuzzImageConfig(const uint8_t* data, size_t size);
int FuzzImageReference(const uint8_t* data, size_t size);
int FuzzJsonLine(const uint8_t* data, size_t size);
int FuzzManifest(const uint8_t* data, size_t size);
int FuzzOciSpec(const uint8_t* data, size_t size);
int FuzzSigv4(const uint8_t* data, size_t size);
int FuzzTaskDefinition(const uint8_t* data, size_t size);
int FuzzTaskRecord(const uint8_t* data, size_t size);

// What must hold.
inline void Must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace davit::fuzz

#endif  // DAVIT_TESTS_FUZZ_FUZZ_TARGETS_H_
