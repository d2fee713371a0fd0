#ifndef DAVIT_BENCH_CONTROLLER_AGENTS_H_
#define DAVIT_BENCH_CONTROLLER_AGENTS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/timers.h"

namespace davit::bench {

// What simulated agents do with a task that they receive. A task that shall stop is reported
// STOPPED in every mode but kSilent.
enum class Behaviour {
  kSilent,  // nothing
  kRun,     // report it RUNNING at once
  kFinish,  // report it STOPPED at once, with exit code 0
};

// Hosts of a cluster: each is a gRPC session of its own with the controller, over a few shared
// connections, with heartbeats in the period that the controller asks for. After the end of a
// session an agent dials again, and reports all its tasks again. Thread-safe.
class SimulatedAgents {
 public:
  struct Options {
    int count = 0;
    int gateway_port = 0;
    int channels = 16;
    std::string cluster;
    int cpu = 65536;  // units of each host
    int memory_mib = 262144;
  };
  // Counted over all agents. Those of sessions belong to the sessions that are open now.
  struct Counts {
    int welcomed = 0;
    int complete = 0;            // sessions that have received a COMPLETE set
    int64_t complete_tasks = 0;  // in COMPLETE sets, all parts together
    int64_t tasks = 0;           // that agents have
    int64_t unacked_reports = 0;
    int64_t unsent_states = 0;
    int64_t goodbyes = 0;  // since the beginning
    int64_t resyncs = 0;   // gaps in the chain of sets, since the beginning
  };

  explicit SimulatedAgents(Options options);
  // Ends all sessions, and waits for that.
  ~SimulatedAgents();

  void Start();
  void SetBehaviour(Behaviour behaviour) { behaviour_ = behaviour; }
  Counts counts() const;

 private:
  class Agent;
  class Session;
  class Channels;

  const Options options_;
  std::atomic<Behaviour> behaviour_{Behaviour::kSilent};
  std::atomic<bool> is_stopping_{false};
  std::atomic<int> open_sessions_{0};
  std::atomic<int> welcomed_{0};
  std::atomic<int> complete_{0};
  std::atomic<int64_t> complete_tasks_{0};
  std::atomic<int64_t> tasks_{0};
  std::atomic<int64_t> unacked_reports_{0};
  std::atomic<int64_t> unsent_states_{0};
  std::atomic<int64_t> goodbyes_{0};
  std::atomic<int64_t> resyncs_{0};
  std::unique_ptr<Channels> channels_;
  std::vector<std::unique_ptr<Agent>> agents_;
  // Last, so that no timer's work outlives the agents.
  ThreadPool pool_{"agents", 1};
  ThreadTimers timers_;
};

}  // namespace davit::bench

#endif  // DAVIT_BENCH_CONTROLLER_AGENTS_H_
