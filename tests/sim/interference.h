#ifndef DAVIT_TESTS_SIM_INTERFERENCE_H_
#define DAVIT_TESTS_SIM_INTERFERENCE_H_

#include "absl/status/status.h"
#include "tests/sim/random.h"

namespace davit::sim {

// Thrown from a program's call into the world when the program is killed there.
struct Killed {};

// Deliberate bugs, which the checks must find.
enum class Bug {
  kNone,
  kStoreAnswersEarly,  // the agent's store says "durable" before it is
  kStartsTwice,        // sometimes creates and starts a container again
  kWrongExitCode,      // invents the exit code of a missed event
  kLeaseStays,         // clean-up leaves the lease
  kReportsLost,        // the controller acknowledges reports that it does not store
  kStrangersKilled,    // an agent with an empty store kills the tasks that it finds
  kForeignStateKept,   // an agent on a cloned disk keeps the other host's tasks
  kPolicyForgotten,    // agents receive no restart policies
  kRestartsTooSoon,    // restarts containers after any length of life
  kOrderForgotten,     // agents receive no dependsOn
  kSaidToBeHealthy,    // all health checks count as passed
  kDialsAtOnce,        // an agent whose connection ends does not wait
};

// Decides the fate of a program's calls into the world: they fail, their answers get lost, or the
// program dies. Not thread-safe.
class Interference {
 public:
  explicit Interference(Random random) : random_(random) {}

  // Call it before a call. Not OK: the call does not happen.
  absl::Status Before() {
    if (is_dead) return absl::UnavailableError("the program is dead");
    CountDown();
    if (random_.Chance(failure_rate)) return absl::UnavailableError("the call fails");
    return absl::OkStatus();
  }
  // Call it after a call. Not OK: the call happened, but its caller gets this error.
  absl::Status After() {
    CountDown();
    if (random_.Chance(failure_rate)) return absl::UnavailableError("the answer is lost");
    return absl::OkStatus();
  }
  // `call` with both. Its result is a Status or a StatusOr.
  template <typename Call>
  auto Around(Call call) -> decltype(call()) {
    if (absl::Status status = Before(); !status.ok()) return status;
    auto result = call();
    if (absl::Status status = After(); !status.ok()) return status;
    return result;
  }

  bool is_dead = false;     // the rest of the program has no effect
  double failure_rate = 0;  // of each half of a call
  int killed_in = 0;        // the program dies after this many halves of calls; 0: never

 private:
  void CountDown() {
    if (!is_dead && killed_in > 0 && --killed_in == 0) throw Killed();
  }
  Random random_;
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_INTERFERENCE_H_
