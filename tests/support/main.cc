// The one main() of every test program. Beside Catch2's report it prints the lines that
// scripts/test collects:
//   DAVIT-FAILED: PROGRAM: TEST CASE
//   DAVIT-SKIPPED: PROGRAM: TEST CASE: REASON
// With DAVIT_TEST_TRACE set, each test case also prints a line when it starts and when it ends, so
// that the output of a program that was killed by a timeout names the case that hung.
//
// Exit codes: 0 all passed, 1 something failed, kSkippedExitCode nothing failed and something was
// skipped.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

#include "tests/support/skip.h"

namespace davit::test {
namespace {

// What this process has run so far.
struct Run {
  std::string program;
  std::string test_case;  // the one that runs now
  std::string reason;     // why that one was skipped; empty: it was not
  std::set<std::string> skipped;
};

Run& CurrentRun() {
  static Run run;
  return run;
}

class Trace : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    TestEventListenerBase::testCaseStarting(info);
    CurrentRun().test_case = info.name;
    CurrentRun().reason.clear();
    start_ = std::chrono::steady_clock::now();
    if (is_on_) Print("[ run     ] ", info.name);
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    const std::string& name = stats.testInfo.name;
    const bool has_failed = stats.totals.testCases.failed > 0 || stats.totals.assertions.failed > 0;
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start_;
    if (is_on_) {
      const char* outcome = has_failed                    ? "[ FAILED  ] "
                            : CurrentRun().reason.empty() ? "[ passed  ] "
                                                          : "[ skipped ] ";
      Print(outcome, name + " (" + std::to_string(taken.count()) + " s)");
    }
    if (has_failed) Print("DAVIT-FAILED: ", CurrentRun().program + ": " + name);
    TestEventListenerBase::testCaseEnded(stats);
  }

 private:
  static void Print(const char* kind, const std::string& text) {
    std::printf("%s%s\n", kind, text.c_str());
    std::fflush(stdout);
  }

  const bool is_on_ = std::getenv("DAVIT_TEST_TRACE") != nullptr;
  std::chrono::steady_clock::time_point start_;
};
CATCH_REGISTER_LISTENER(Trace)

}  // namespace

void Skip(const std::string& reason) {
  Run& run = CurrentRun();
  run.reason = reason;
  if (run.skipped.insert(run.test_case).second) {  // once, however many sections call it
    std::printf("DAVIT-SKIPPED: %s: %s: %s\n", run.program.c_str(), run.test_case.c_str(),
                reason.c_str());
    std::fflush(stdout);
  }
  // Catch2 v2 has no SKIP. It throws this after a REQUIRE that failed, to leave the test case, and
  // catches it silently.
  throw Catch::TestFailureException();
}

namespace {

int Main(int argc, char** argv) {
  Run& run = CurrentRun();
  const std::string path = argv[0];
  run.program = path.substr(path.rfind('/') + 1);
  Catch::Session session;
  const int wrong_usage = session.applyCommandLine(argc, argv);
  if (wrong_usage != 0) return wrong_usage;
  // Catch2 returns the number of failed assertions, which may be any.
  if (session.run() != 0) return 1;
  return run.skipped.empty() ? 0 : kSkippedExitCode;
}

}  // namespace
}  // namespace davit::test

int main(int argc, char** argv) { return davit::test::Main(argc, argv); }
