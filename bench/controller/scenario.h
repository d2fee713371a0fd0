#ifndef DAVIT_BENCH_CONTROLLER_SCENARIO_H_
#define DAVIT_BENCH_CONTROLLER_SCENARIO_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "bench/controller/agents.h"
#include "bench/controller/child.h"
#include "bench/controller/load.h"
#include "bench/controller/report.h"

namespace davit::bench {

struct Settings {
  ControllerChild::Options child;
  int clients = 3;
  int channels = 16;
  absl::Duration time = absl::Seconds(4);  // of each load
};

// One controller with an empty store and a number of simulated hosts, and what can be measured on
// it. Each measure adds rows to the report; a failure ends the scenario. One thread calls it.
class Scenario {
 public:
  // Borrows `report`.
  Scenario(const Settings& settings, int hosts, Report* report);

  // Starts the controller, makes a cluster and task definitions, and registers the hosts.
  absl::Status SetUp();

  // RunTask with `count` tasks each, for the time that is set or until there are `total` more tasks
  // (0: no matter how many). Agents report as `behaviour` says.
  absl::Status Place(const std::string& measure, int count, Behaviour behaviour, int64_t total = 0);
  // DescribeTasks (100) and ListTasks, from one client each; `is_placing`: beside RunTask.
  absl::Status Read(bool is_placing);
  absl::Status Stop(int64_t tasks);
  // Tasks of a tenth of a host each, until all hosts are full; then RunTask that finds no room.
  absl::Status Fill();
  absl::Status Memory(const std::string& measure);
  absl::Status Idle(absl::Duration time);
  // kill -9 and a new start; until all agents are welcomed and have their tasks again.
  absl::Status Restart();

 private:
  Row NewRow(const std::string& measure) const;
  LoadLimit Limit() const;
  // A call of RunTask; tasks without room are added to `refused` (may be null).
  Call RunTask(int count, const std::string& family, std::atomic<int64_t>* refused = nullptr);
  Call DescribeTasks();
  Call ListTasks();
  Call StopTask();
  // Runs the load and adds its row, with the controller's CPU time.
  absl::Status Measure(const std::string& measure, const LoadLimit& limit, const Call& call);
  absl::Status Await(const std::string& what, absl::Duration limit,
                     const std::function<bool()>& is_reached) const;
  // Until every report is acknowledged; adds a row with the time if `measure` is not empty.
  absl::Status Settle(const std::string& measure, Behaviour behaviour);

  const Settings settings_;
  const int hosts_;
  Report* const report_;
  ControllerChild child_;
  std::unique_ptr<SimulatedAgents> agents_;
  double empty_mib_ = 0;  // memory with hosts and no task
  std::atomic<int64_t> placed_{0};
  Mutex mu_;
  std::vector<std::string> arns_ ABSL_GUARDED_BY(mu_);  // of tasks that shall run
};

}  // namespace davit::bench

#endif  // DAVIT_BENCH_CONTROLLER_SCENARIO_H_
