#include "tests/sim/fleet.h"

#include <deque>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "controller/store/memory_store.h"
#include "controller/task/reads.h"
#include "tests/sim/fleet_host.h"
#include "tests/support/fake_time.h"

namespace davit::sim {
namespace {

using namespace controller;  // NOLINT(google-build-using-namespace): it is all about the controller
using test::FakeClock;

// The controller's disk: commits are held, fail or (a bug) are only said to be written.
class Disk final : public store::Store {
 public:
  Disk(store::MemoryStore* rows, Random* random, FleetBug bug)
      : rows_(rows), random_(random), bug_(bug) {}
  absl::StatusOr<rows::Rows> LoadAll() override { return rows_->LoadAll(); }
  void Commit(std::vector<store::CommandRows> commands, store::Fence fence, Done done) override {
    if (bug_ == FleetBug::kCommitLost && random_->Chance(0.01)) commands.clear();
    rows_->Commit(std::move(commands), std::move(fence), std::move(done));
  }
  store::Limits limits() const override { return {}; }
  void Watch(Watcher /*watcher*/) override {}

 private:
  store::MemoryStore* const rows_;
  Random* const random_;
  const FleetBug bug_;
};

// The controller's program.
struct Program {
  Program(store::Store* disk, FakeClock* clock, Random* ids)
      : timers(clock),
        loop({OptionsOf(ids), disk, clock, &writer, &timers}),
        sessions(&loop, nullptr, [ids] { return ids->Hex32(); }) {}
  static change::Options OptionsOf(Random* ids) {
    change::Options options;
    options.stopped_retention = absl::Hours(1000);
    options.new_id = [ids] { return ids->Hex32(); };
    return options;
  }
  test::FakeExecutor writer;
  test::FakeTimers timers;
  loop::Loop loop;
  loop::AgentSessions sessions;
};

class Fleet {
 public:
  explicit Fleet(const FleetOptions& options)
      : options_(options),
        random_(options.seed),
        ids_(random_.Fork()),
        disk_(&rows_, &random_, options.bug) {
    for (int i = 0; i < options.hosts; ++i) hosts_.emplace_back(i);
    StartController();
    Register("small", 100);
    Register("large", 700);
  }

  FleetResult Run() {
    for (int i = 0; i < options_.steps && result_.failure.empty(); ++i) {
      Disturb();
      Step();
    }
    Settle();
    return result_;
  }

 private:
  FleetHost& AnyHost() { return hosts_[random_.Below(hosts_.size())]; }

  void StartController() {
    program_ = std::make_unique<Program>(&disk_, &clock_, &ids_);
    if (!program_->loop.Start(&program_->sessions).ok()) Fail("the controller cannot start");
  }

  void RestartController() {
    ++result_.restarts;
    for (FleetHost& host : hosts_) host.DropStream();
    // A commit that nobody waits for any more still reaches the disk.
    while (rows_.ReleaseOne()) {
    }
    program_.reset();
    rows_.FailWith(absl::OkStatus());
    if (options_.bug == FleetBug::kEndForgotten) ForgetEnds();
    StartController();
  }

  void ForgetEnds() {
    for (const auto& [key, value] : std::map<std::string, std::string>(rows_.rows())) {
      v1::StoredTask task;
      if (key.rfind("task/", 0) != 0 || !task.ParseFromString(value)) continue;
      if (task.last_status() != v1::TaskStatus::STOPPED) continue;
      task.set_last_status(v1::TaskStatus::RUNNING);
      rows_.Put(key, task.SerializeAsString());
    }
  }

  template <typename Request>
  void Submit(const std::string& operation, const Request& request,
              std::function<void(const google::protobuf::Message&)> on_answer) {
    program_->loop.Submit(
        model::CommandOf(model::FindOperation(operation), std::make_shared<const Request>(request)),
        [on_answer = std::move(on_answer)](const absl::StatusOr<loop::Answer>& answer) {
          if (answer.ok() && on_answer) on_answer(**answer);
        });
  }

  void Register(const std::string& family, int memory) {
    v1::RegisterTaskDefinitionRequest request;
    request.set_family(family);
    v1::ContainerDefinition* container = request.add_container_definitions();
    container->set_name("main");
    container->set_image("busybox");
    container->set_memory(memory);
    Submit("RegisterTaskDefinition", request, nullptr);
    program_->writer.RunAll();
  }

  void RunTask() {
    v1::RunTaskRequest request;
    request.set_task_definition(random_.Chance(0.3) ? "large" : "small");
    request.set_count(static_cast<int>(1 + random_.Below(10)));
    Submit("RunTask", request, [this](const google::protobuf::Message& answer) {
      for (const v1::Task& task : dynamic_cast<const v1::RunTaskResponse&>(answer).tasks())
        answered_.push_back(ShortId(task.task_arn()));
    });
  }

  void StopTask() {
    if (answered_.empty()) return;
    v1::StopTaskRequest request;
    request.set_task(answered_[random_.Below(answered_.size())]);
    Submit("StopTask", request, nullptr);
  }

  void Disturb() {
    if (random_.Chance(0.03)) RunTask();
    if (random_.Chance(0.02)) StopTask();
    if (random_.Chance(0.02)) AnyHost().Disconnect();
    if (random_.Chance(0.01) && is_up()) AnyHost().Connect(&program_->sessions);
    if (random_.Chance(0.005)) rows_.Hold();
    if (random_.Chance(0.002)) rows_.FailWith(absl::UnavailableError("the disk fails"));
    if (random_.Chance(0.001)) RestartController();
    if (random_.Chance(0.001)) clock_.Jump(absl::Hours(1) * (random_.Uniform() - 0.5));
    if (options_.bug == FleetBug::kMessageLost && random_.Chance(0.01)) AnyHost().LoseNextMessage();
    if (random_.Chance(0.02)) rows_.FailWith(absl::OkStatus());
  }

  bool is_up() const { return program_ != nullptr; }

  // Something that is ready happens.
  void Step() {
    FleetHost& host = AnyHost();
    switch (random_.Below(8)) {
      case 0:
      case 1:
        while (random_.Chance(0.9) && program_->writer.RunOne()) {
        }
        break;
      case 2:
        rows_.ReleaseOne();
        if (random_.Chance(0.2)) rows_.LetGo();
        break;
      case 3:
        clock_.Advance(random_.Within(absl::Milliseconds(200)));
        while (program_->timers.FireNext(absl::ZeroDuration())) {
        }
        break;
      case 4:
        if (!host.is_connected()) host.Connect(&program_->sessions);
        break;
      case 5:
        host.Beat();
        break;
      default:
        while (host.ReceiveOne()) {
        }
        host.Progress(&random_, random_.Chance(0.05));
    }
    if (!program_->loop.Health().ok()) ++result_.reloads;
    Check(host);
  }

  void Check(const FleetHost& host) {
    if (!host.violation().empty()) return Fail(host.violation());
    if (host.memory_in_use() > FleetHost::kMemoryMib)
      return Fail(absl::StrCat("a host has tasks of ", host.memory_in_use(), " MiB"));
    if (!random_.Chance(0.02)) return;
    std::set<std::string> seen;
    for (const FleetHost& one : hosts_) {
      for (const std::string& arn : one.Unfinished()) {
        if (!seen.insert(arn).second) return Fail(absl::StrCat(arn, " is on two hosts"));
      }
    }
    program_->loop.view().Look([this](const state::State& state) { CheckState(state); });
  }

  void CheckState(const state::State& state) {
    const state::Cluster* cluster = state.FindCluster("default");
    for (const std::string& id : answered_) {
      if (cluster == nullptr || cluster->tasks.find(id) == cluster->tasks.end())
        return Fail(absl::StrCat(id, " was answered, and is forgotten"));
    }
    if (cluster == nullptr) return;
    for (const auto& [id, instance] : cluster->instances) {
      if (instance->host.free_memory_mib < 0) return Fail(absl::StrCat(id, " is overbooked"));
    }
    for (const FleetHost& host : hosts_) {
      for (const std::string& arn : host.acknowledged_ends()) {
        const state::Task* task = state.FindTaskByArn(arn);
        if (task == nullptr || !task->is_stopped())
          return Fail(absl::StrCat(arn, " has ended, which was acknowledged, and is forgotten"));
      }
    }
  }

  // Nothing fails any more.
  void Settle() {
    rows_.FailWith(absl::OkStatus());
    std::string missing = "everything";
    for (int round = 0; round < 400 && !missing.empty() && result_.failure.empty(); ++round) {
      rows_.LetGo();
      while (rows_.ReleaseOne()) {
      }
      program_->writer.RunAll();
      clock_.Advance(absl::Seconds(1));
      while (program_->timers.FireNext(absl::ZeroDuration())) {
      }
      for (FleetHost& host : hosts_) {
        if (!host.is_connected()) host.Connect(&program_->sessions);
        if (round % 4 == 0) host.Beat();
        while (host.ReceiveOne()) {
        }
        for (int i = 0; i < 20; ++i) host.Progress(&random_, false);
        Check(host);
      }
      program_->writer.RunAll();
      missing = WhatIsMissing();
    }
    if (!missing.empty() && result_.failure.empty()) Fail(absl::StrCat("in the end: ", missing));
    result_.tasks = static_cast<int>(answered_.size());
  }

  std::string WhatIsMissing() {
    std::string missing;
    std::set<std::string> running;
    for (const FleetHost& host : hosts_) {
      for (const std::string& arn : host.Unfinished()) running.insert(ShortId(arn));
    }
    program_->loop.view().Look([&](const state::State& state) {
      if (state.sessions().size() != hosts_.size()) missing = "connections";
      for (const auto& [id, task] : state.FindCluster("default")->tasks) {
        const v1::StoredTask& record = *task->record;
        const bool is_wanted = record.desired_status() == v1::TaskStatus::RUNNING;
        if (task->is_stopped() == is_wanted || (running.count(id) > 0) != is_wanted ||
            (is_wanted && record.last_status() != v1::TaskStatus::RUNNING)) {
          missing = absl::StrCat(id, " is ", v1::TaskStatus::Value_Name(record.last_status()),
                                 is_wanted ? ", wanted" : ", not wanted");
        }
        running.erase(id);
      }
    });
    if (missing.empty() && !running.empty())
      missing = absl::StrCat(*running.begin(), " runs, and the controller does not know it");
    return missing;
  }

  void Fail(const std::string& what) {
    if (result_.failure.empty()) result_.failure = absl::StrCat("seed ", options_.seed, ": ", what);
  }

  const FleetOptions options_;
  Random random_;
  Random ids_;
  FakeClock clock_;
  store::MemoryStore rows_;
  Disk disk_;
  std::unique_ptr<Program> program_;
  std::deque<FleetHost> hosts_;
  std::vector<std::string> answered_;  // ids of tasks that a RunTask has answered
  FleetResult result_;
};

}  // namespace

FleetResult RunFleet(const FleetOptions& options) { return Fleet(options).Run(); }

}  // namespace davit::sim
