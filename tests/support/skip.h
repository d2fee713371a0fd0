#ifndef DAVIT_TESTS_SUPPORT_SKIP_H_
#define DAVIT_TESTS_SUPPORT_SKIP_H_

#include <string>

namespace davit::test {

// A test program ends with this code when nothing failed and at least one test case was skipped.
// ctest knows it as SKIP_RETURN_CODE; the Python tests use it, too (tests/e2e/e2e.py).
inline constexpr int kSkippedExitCode = 77;

// Ends the current test case as "skipped, because `reason`"; the program's other test cases run.
// Call it from the thread of the test case. scripts/test makes an error of it in CI.
[[noreturn]] void Skip(const std::string& reason);

}  // namespace davit::test

#endif  // DAVIT_TESTS_SUPPORT_SKIP_H_
