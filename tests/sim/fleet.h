#ifndef DAVIT_TESTS_SIM_FLEET_H_
#define DAVIT_TESTS_SIM_FLEET_H_

#include <cstdint>
#include <string>

namespace davit::sim {

// Mistakes that are made on purpose, to see that the checks find them.
enum class FleetBug {
  kNone,
  kCommitLost,    // the store answers a commit, and has not written it
  kMessageLost,   // a message to an agent is dropped, and the stream goes on
  kEndForgotten,  // after a restart of the controller, the ends of tasks are unknown
};

struct FleetOptions {
  uint64_t seed = 1;
  int hosts = 200;
  int steps = 20'000;  // with faults and new work; what follows is without
  FleetBug bug = FleetBug::kNone;
};

struct FleetResult {
  std::string failure;  // what went wrong; empty: nothing
  int tasks = 0;        // that were run
  int restarts = 0;     // of the controller
  int reloads = 0;      // of its state, after a commit that failed
};

// One history of a real controller loop with hundreds of hosts that are played: they run what they
// are told, at once or late, lose their connection, and come back. Commits are slow, and fail; the
// controller is killed at any time. Judged: no host has more than it can hold, no task is on two
// hosts, what was answered or acknowledged is never forgotten, sets of assignments are complete;
// and everything comes to what is wanted of it once nothing fails. The same seed is the same
// history.
FleetResult RunFleet(const FleetOptions& options);

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_FLEET_H_
