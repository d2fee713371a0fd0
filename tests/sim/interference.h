#ifndef DAVIT_TESTS_SIM_INTERFERENCE_H_
#define DAVIT_TESTS_SIM_INTERFERENCE_H_

#include "absl/status/status.h"
#include "tests/sim/random.h"

namespace davit::sim {

// Thrown out of a program's call into the world when it is killed there.
struct Killed {};

// Mistakes that are made on purpose: the checks are worth something only if they find them.
enum class Bug {
  kNone,
  kStoreAnswersEarly,  // the agent's store says "durable" before it is
  kStartsTwice,        // now and then a container is made and started anew
  kWrongExitCode,      // the exit code of a missed event is made up
  kLeaseStays,         // clean-up forgets the lease
  kReportsLost,        // the controller acknowledges reports that it does not store
  kStrangersKilled,    // an agent whose store is empty kills what it finds
  kForeignStateKept,   // an agent on a cloned disk goes on with the other host's tasks
  kPolicyForgotten,    // agents hear of no restart policies
  kRestartsTooSoon,    // however short a container's life was
  kOrderForgotten,     // agents hear of no dependsOn
  kSaidToBeHealthy,    // all health checks are taken for passed
  kDialsAtOnce,        // an agent whose connection ends does not wait
};

// What happens to the calls that one program makes into the world: they fail, their answers get
// lost, or the program dies between two of them. Not thread-safe.
class Interference {
 public:
  explicit Interference(Random random) : random_(random) {}

  // Before a call; not OK: it is not made.
  absl::Status Before() {
    if (is_dead) return absl::UnavailableError("the program is dead");
    CountDown();
    if (random_.Chance(failure_rate)) return absl::UnavailableError("the call fails");
    return absl::OkStatus();
  }
  // After a call; not OK: it was made, and its caller does not learn of it.
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

  bool is_dead = false;     // what is left of the program does nothing any more
  double failure_rate = 0;  // of each half of a call
  int killed_in = 0;        // in so many halves of calls the program dies; 0: never

 private:
  void CountDown() {
    if (!is_dead && killed_in > 0 && --killed_in == 0) throw Killed();
  }
  Random random_;
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_INTERFERENCE_H_
