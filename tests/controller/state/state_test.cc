// That mutations are all there is: whoever applies the same ones has the same state.
#include "controller/state/state.h"

#include <catch2/catch.hpp>
#include <random>

#include "base/ids.h"
#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

// Free memory, counts and the rest that is derived, computed again from the tasks one by one.
void CheckDerived(const state::State& state) {
  std::map<v1::TaskStatus::Value, int> counts;
  for (const auto& [name, cluster] : state.clusters()) {
    int running = 0;
    int pending = 0;
    std::map<std::string, int> groups;
    size_t placeable = 0;
    for (const auto& [id, task] : cluster.tasks) {
      ++counts[task->record->last_status()];
      running += task->record->last_status() == v1::TaskStatus::RUNNING;
      pending += task->record->last_status() < v1::TaskStatus::RUNNING;
      if (!task->is_stopped()) ++groups[task->record->group()];
    }
    REQUIRE(cluster.running_count == running);
    REQUIRE(cluster.pending_count == pending);
    REQUIRE(cluster.groups.size() == groups.size());
    for (const auto& [group, count] : groups) REQUIRE(cluster.groups.at(group).task_count == count);
    for (const auto& [id, instance] : cluster.instances) {
      int64_t reserved = 0;
      int count = 0;
      for (const auto& [task_id, task] : instance->tasks) {
        REQUIRE(task->instance == instance.get());
        if (task->is_stopped()) continue;
        reserved += task->needs->memory_mib;
        ++count;
      }
      REQUIRE(instance->host.free_memory_mib == instance->host.memory_mib - reserved);
      REQUIRE(instance->host.free_memory_mib >= 0);
      REQUIRE(instance->host.task_count == count);
      placeable += instance->host.is_connected && instance->host.is_active;
    }
    REQUIRE(cluster.hosts.size() == placeable);
  }
  for (int status = 100; status <= 800; status += 100) {
    const auto value = static_cast<v1::TaskStatus::Value>(status);
    REQUIRE(state.CountTasks(value) == counts[value]);
  }
}

// Everything that can be seen of two states, sessions included.
void CheckSame(const state::State& a, const state::State& b) {
  REQUIRE(a.epoch() == b.epoch());
  REQUIRE(a.clusters().size() == b.clusters().size());
  REQUIRE(a.families().size() == b.families().size());
  REQUIRE(a.sessions().size() == b.sessions().size());
  for (const auto& [name, cluster] : a.clusters()) {
    const state::Cluster& other = *b.FindCluster(name);
    REQUIRE(cluster.tasks.size() == other.tasks.size());
    for (const auto& [id, task] : cluster.tasks) {
      const state::Task& twin = *other.tasks.at(id);
      REQUIRE(twin.record->SerializeAsString() == task->record->SerializeAsString());
      REQUIRE(*twin.needs == *task->needs);
    }
    REQUIRE(cluster.instances.size() == other.instances.size());
    for (const auto& [id, instance] : cluster.instances) {
      const state::Instance& twin = *other.instances.at(id);
      REQUIRE(twin.record->SerializeAsString() == instance->record->SerializeAsString());
      REQUIRE(twin.host.free_cpu_units == instance->host.free_cpu_units);
      REQUIRE(twin.host.taken_tcp_ports == instance->host.taken_tcp_ports);
      REQUIRE(twin.is_connected() == instance->is_connected());
      REQUIRE(twin.tasks.size() == instance->tasks.size());
    }
  }
}

// A cluster that does something at random with each step.
struct RandomCluster : TestCluster {
  explicit RandomCluster(unsigned seed) : random(seed) {
    for (int i = 0; i < 3; ++i) Connect(absl::StrCat("s", i), MakeHello(absl::StrCat("i-", i)));
    Register(MakeDefinition("web", 150));
  }
  void Step() {
    const auto dice = random() % 10;
    if (dice < 3) {
      const v1::RunTaskResponse started =
          TestCluster::Run("web", 1 + static_cast<int>(random() % 4));
      for (const v1::Task& task : started.tasks()) {
        arns.push_back(task.task_arn());
        sessions.push_back(model.state().FindTaskByArn(task.task_arn())->instance->session->id);
      }
    } else if (dice < 8 && !arns.empty()) {
      const size_t pick = random() % arns.size();
      const auto status = static_cast<v1::TaskStatus::Value>(200 + 100 * (random() % 7));
      Report(sessions[pick], arns[pick], status, ++sequence);
    } else if (dice == 8 && !arns.empty()) {
      v1::StopTaskRequest stop;
      stop.set_task(arns[random() % arns.size()]);
      Apply(stop);
    } else {
      clock.Advance(absl::Minutes(5));
      for (int i = 0; i < 3; ++i) {
        v1::AgentMessage beat = WithSession(absl::StrCat("s", i));
        beat.mutable_heartbeat()->set_runtime_available(random() % 4 != 0);
        Say(absl::StrCat("s", i), beat);
      }
      Tick();
    }
  }
  std::mt19937 random;
  std::vector<std::string> arns;
  std::vector<std::string> sessions;
  uint64_t sequence = 0;
};

TEST_CASE("after any course of commands the store's rows are the whole state", "[state]") {
  RandomCluster cluster(GENERATE(1U, 2U, 3U, 4U, 5U));
  for (int step = 0; step < 300; ++step) {
    cluster.Step();
    CheckDerived(cluster.model.state());
  }
  cluster.view.Look([&](const state::State& view) {
    CheckDerived(view);
    CheckSame(cluster.model.state(), view);
  });
  for (int i = 0; i < 3; ++i) cluster.EndStream(absl::StrCat("s", i));
  state::State loaded{state::Place{}};
  REQUIRE(loaded.Load(*rows::DecodeAll(cluster.StoredRows())).ok());
  CheckDerived(loaded);
  CheckSame(cluster.model.state(), loaded);
}

TEST_CASE("what Apply returns undoes it, in whatever state", "[state]") {
  RandomCluster cluster(GENERATE(6U, 7U, 8U));
  for (int step = 0; step < 60; ++step) {
    cluster.Step();
    state::State before{state::Place{}};
    state::State changed{state::Place{}};
    REQUIRE(before.Load(*rows::DecodeAll(cluster.StoredRows())).ok());
    REQUIRE(changed.Load(*rows::DecodeAll(cluster.StoredRows())).ok());
    std::vector<rows::Mutation> undo;
    for (const auto& [name, entry] : before.clusters()) {
      for (const auto& [id, task] : entry.tasks) {
        if (cluster.random() % 3 == 0) continue;
        undo.push_back(changed.Apply({rows::KeyOf(*task->record), rows::Ref<v1::StoredTask>()}));
      }
      for (const auto& [id, instance] : entry.instances) {
        undo.push_back(changed.Apply(
            {rows::KeyOf(*instance->record), rows::Ref<v1::StoredContainerInstance>()}));
      }
    }
    CheckDerived(changed);
    for (auto mutation = undo.rbegin(); mutation != undo.rend(); ++mutation)
      changed.Apply(*mutation);
    CheckDerived(changed);
    CheckSame(before, changed);
  }
}

TEST_CASE("a task whose instance is erased stays, and finds its instance again", "[state]") {
  TestCluster cluster;
  cluster.Connect("s1", MakeHello("i-1"));
  cluster.Register(MakeDefinition("web"));
  const std::string arn = cluster.Run("web").tasks(0).task_arn();
  state::State state{state::Place{}};
  REQUIRE(state.Load(*rows::DecodeAll(cluster.StoredRows())).ok());
  const state::Task* task = state.FindTaskByArn(arn);
  const auto instance = task->instance->record;
  const rows::Mutation undo =
      state.Apply({rows::KeyOf(*instance), rows::Ref<v1::StoredContainerInstance>()});
  CHECK(task->instance == nullptr);
  CHECK(state.FindInstanceByHost("default", "i-1") == nullptr);
  CheckDerived(state);
  state.Apply(undo);
  REQUIRE(task->instance != nullptr);
  CHECK(task->instance->host.free_memory_mib == 1900);
  CheckDerived(state);
}

TEST_CASE("a row without its cluster is refused by name", "[state]") {
  state::State state{state::Place{}};
  v1::StoredTask task;
  task.set_cluster("blue");
  task.set_id("1");
  const absl::Status status =
      state.Load({{rows::KeyOf(task), std::make_shared<const v1::StoredTask>(task)}});
  CHECK(absl::IsDataLoss(status));
  CHECK_THAT(std::string(status.message()), Catch::Contains("task/blue/1"));
}

}  // namespace
}  // namespace davit::test
