// That the rows of the store are all there is: a model loaded from them is the model that wrote
// them.
#include "controller/cluster/state.h"

#include <catch2/catch.hpp>
#include <random>

#include "controller/cluster/describe.h"
#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

// Free memory, counts and the rest that is derived, told again from the tasks one by one.
void CheckDerived(const cluster::State& state) {
  for (const auto& [name, cluster] : state.clusters()) {
    int running = 0;
    int pending = 0;
    for (const auto& [id, task] : cluster.tasks) {
      running += task->last_status == v1::TaskStatus::RUNNING;
      pending += task->last_status < v1::TaskStatus::RUNNING;
    }
    REQUIRE(cluster.running_count == running);
    REQUIRE(cluster.pending_count == pending);
    for (const auto& [id, instance] : cluster.instances) {
      int64_t reserved = 0;
      int count = 0;
      for (const auto& [arn, task] : instance->tasks) {
        if (task->is_stopped()) continue;
        reserved += task->needs.memory_mib;
        ++count;
      }
      REQUIRE(instance->host.free_memory_mib == instance->host.memory_mib - reserved);
      REQUIRE(instance->host.free_memory_mib >= 0);
      REQUIRE(instance->host.task_count == count);
    }
  }
}

TEST_CASE("after any course of commands the store's rows tell the whole state", "[state]") {
  const int seed = GENERATE(range(1, 6));
  std::mt19937 random(static_cast<unsigned>(seed));
  TestCluster cluster;
  for (int i = 0; i < 3; ++i)
    cluster.Connect(absl::StrCat("s", i), MakeHello(absl::StrCat("i-", i)));
  cluster.Register(MakeDefinition("web", 150));
  std::vector<std::string> arns;
  std::vector<std::string> sessions;
  uint64_t sequence = 0;
  for (int step = 0; step < 300; ++step) {
    const auto dice = random() % 10;
    if (dice < 3) {
      const v1::RunTaskResponse started = cluster.Run("web", 1 + static_cast<int>(random() % 4));
      for (const v1::Task& task : started.tasks()) {
        arns.push_back(task.task_arn());
        const auto* owner = cluster.model.state()
                                .FindCluster("default")
                                ->tasks.at(ShortId(task.task_arn()))
                                ->instance;
        sessions.push_back(owner->session.id);
      }
    } else if (dice < 8 && !arns.empty()) {
      const size_t pick = random() % arns.size();
      const auto status = static_cast<v1::TaskStatus::Value>(200 + 100 * (random() % 7));
      cluster.Report(sessions[pick], arns[pick], status, ++sequence);
    } else if (dice == 8 && !arns.empty()) {
      v1::StopTaskRequest stop;
      stop.set_task(arns[random() % arns.size()]);
      cluster.Apply(stop);
    } else {
      cluster.clock.Advance(absl::Minutes(5));
      for (int i = 0; i < 3; ++i) {
        v1::AgentMessage beat = WithSession(absl::StrCat("s", i));
        beat.mutable_heartbeat()->set_runtime_available(true);
        cluster.Say(absl::StrCat("s", i), beat);
      }
      cluster.Apply(cluster::Tick());
    }
    CheckDerived(cluster.model.state());
  }
  cluster::Model loaded(ModelOptions());
  REQUIRE(loaded.Load(Rows(cluster.rows.begin(), cluster.rows.end())).ok());
  CheckDerived(loaded.state());
  const auto& before = cluster.model.state().FindCluster("default")->tasks;
  const auto& after = loaded.state().FindCluster("default")->tasks;
  REQUIRE(after.size() == before.size());
  for (const auto& [id, task] : before) {
    CHECK(after.at(id)->record.SerializeAsString() == task->record.SerializeAsString());
    CHECK(after.at(id)->needs == task->needs);
  }
  CHECK(loaded.state().epoch() == cluster.model.state().epoch());
}

TEST_CASE("loading makes nothing to write", "[state]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  cluster::State state{cluster::Place{}};
  REQUIRE(state.Load(Rows(cluster.rows.begin(), cluster.rows.end())).ok());
  CHECK(state.TakeMutations().empty());
  CHECK(state.sessions().empty());
}

TEST_CASE("rows that cannot be understood are named", "[state]") {
  cluster::State state{cluster::Place{}};
  const absl::Status broken = state.Load({{"task/default/1", "\xff\xff"}});
  CHECK(absl::IsDataLoss(broken));
  CHECK_THAT(std::string(broken.message()), Catch::Contains("task/default/1"));
  CHECK(absl::IsDataLoss(state.Load({{"service/default/1", ""}})));
}

}  // namespace
}  // namespace davit::test
