#ifndef DAVIT_TESTS_SUPPORT_FAKE_HOST_H_
#define DAVIT_TESTS_SUPPORT_FAKE_HOST_H_

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/image/fake_image_puller.h"
#include "agent/network/fake_network.h"
#include "agent/resource/fake_task_cgroups.h"
#include "agent/runtime/fake_runtime.h"
#include "agent/store/memory_store.h"
#include "agent/supervisor/supervisor.h"
#include "agent/supervisor/task_effects.h"
#include "base/file.h"
#include "tests/support/fake_time.h"

namespace davit::test {

// Remembers what it is told.
class RecordingSink final : public supervisor::ReportSink {
 public:
  void Report(v1::TaskState state) override { latest[state.task_arn()] = std::move(state); }
  std::map<std::string, v1::TaskState> latest;  // by task ARN
};

// A host in memory with a real supervisor on it: the world (runtime, cgroups, network, store)
// outlives agents, as the real one does. Single-threaded.
class FakeHost {
 public:
  FakeHost()
      : timers(&clock),
        calls(&clock, &timers, &executor),
        runtime(&clock, &executor),
        files_(MakeStateDir()) {}
  ~FakeHost() {
    StopAgent();
    static_cast<void>(RemoveAll(state_dir_));
  }

  void StartAgent(const std::string& boot_id = "boot-1") {
    supervisor::Supervisor::Options options;
    options.cleanup_after = absl::Hours(1);
    options.capacity = {.cpu = 4096, .memory = 1000, .tcp_ports = {22}, .udp_ports = {}};
    options.boot_id = boot_id;
    options.agent_ids = {"agent-1"};
    post_mortems_ = std::make_unique<supervisor::PostMortems>(post_mortem, &cgroups, &files_);
    supervisor = std::make_unique<supervisor::Supervisor>(
        options, supervisor::Supervisor::Deps{pools, &timers, &clock, &store, &runtime, &cgroups,
                                              &network, &files_, &calls, post_mortems_.get()});
    facts_.architecture = "amd64";
    facts_.pause_path = "/usr/bin/davit-pause";
    phases_ = std::make_unique<Phases>(this);
    effects_ = std::make_unique<supervisor::TaskEffects>(supervisor::TaskEffects::Deps{
        pools, &timers, supervisor.get(), &phases_->provisioning, &phases_->inputs,
        &phases_->creation, &phases_->life, &phases_->removal});
    supervisor->Connect(effects_.get(), report_to);
    supervisor->Start(store.Load()->tasks);
    executor.RunAll();
  }
  // The process is gone, with all that was not written.
  void StopAgent() {
    executor.RunAll();
    timers.Clear();
    calls.Observe(nullptr);
    runtime.Watch(nullptr);  // what happens until the next agent watches, nobody hears of
    supervisor = nullptr;
    effects_ = nullptr;
  }
  void Pass(absl::Duration time) { test::Pass(time, &clock, &timers, &executor); }

  const std::string& state_dir() const { return state_dir_; }
  v1::TaskState StateOf(const std::string& arn) { return sink.latest[arn]; }
  const supervisor::TaskFiles& files() const { return files_; }

  FakeClock clock;
  FakeExecutor executor;
  FakeTimers timers;
  BlockingCalls calls;  // a test's own: work on the fake executor is in none
  runtime::FakeRuntime runtime;
  image::FakeImagePuller puller;
  resource::FakeTaskCgroups cgroups;
  network::FakeNetwork network;
  store::MemoryStore store;
  RecordingSink sink;
  // Of agents that are started from now on.
  supervisor::ReportSink* report_to = &sink;
  const secret::ValueResolver* values = nullptr;
  supervisor::PostMortems::Options post_mortem;
  supervisor::Pools pools{&executor, &executor, &executor, &executor,
                          &executor, &executor, &executor};
  std::unique_ptr<supervisor::Supervisor> supervisor;

 private:
  // What an agent does on this host.
  struct Phases {
    explicit Phases(FakeHost* host)
        : provisioning({&host->runtime, &host->cgroups, &host->files_, &host->facts_, "agent-1"}),
          inputs({&host->puller, host->values}),
          creation({host->Parts(), &host->facts_, Log(), "agent-1"}),
          life({&host->runtime, &host->cgroups}),
          removal(host->Parts(), host->post_mortems_.get()) {}
    static log::LogOptions Log() {
      log::LogOptions options;
      options.logger_path = "/usr/bin/davit-logger";
      return options;
    }
    const supervisor::TaskProvisioning provisioning;
    const supervisor::ContainerInputs inputs;
    const supervisor::ContainerCreation creation;
    const supervisor::ContainerLife life;
    const supervisor::TaskRemoval removal;
  };
  supervisor::HostParts Parts() { return {&runtime, &cgroups, &network, &files_}; }
  std::string MakeStateDir() {
    char name[] = "/tmp/davit-test-XXXXXX";
    if (mkdtemp(name) == nullptr) std::abort();
    return state_dir_ = name;
  }
  std::string state_dir_;
  const supervisor::TaskFiles files_;
  std::unique_ptr<supervisor::PostMortems> post_mortems_;
  spec::HostFacts facts_;
  std::unique_ptr<Phases> phases_;
  std::unique_ptr<supervisor::TaskEffects> effects_;
};

// An assignment of one or two containers ("web", and "sidecar" that is not essential). `number`
// makes its id.
inline v1::Assignment MakeAssignment(int number, bool with_sidecar = false) {
  v1::Assignment assignment;
  std::string id = std::to_string(number);
  id.insert(0, 32 - id.size(), '0');
  assignment.set_task_arn("arn:aws:ecs:us-east-1:000000000000:task/default/" + id);
  assignment.set_cluster("default");
  assignment.set_desired_status(v1::TaskStatus::RUNNING);
  v1::TaskDefinition* definition = assignment.mutable_task_definition();
  definition->set_family("web");
  definition->set_revision(1);
  v1::ContainerDefinition* web = definition->add_container_definitions();
  web->set_name("web");
  web->set_image("registry/web:1");
  web->set_memory(64);
  web->set_stop_timeout(10);
  web->add_command("/bin/true");
  if (with_sidecar) {
    v1::ContainerDefinition* sidecar = definition->add_container_definitions();
    *sidecar = *web;
    sidecar->set_name("sidecar");
    sidecar->set_essential(false);
  }
  return assignment;
}

inline std::string ContainerId(const v1::Assignment& assignment, const std::string& name = "web") {
  const std::string& arn = assignment.task_arn();
  return arn.substr(arn.rfind('/') + 1) + "-" + name;
}

}  // namespace davit::test

#endif  // DAVIT_TESTS_SUPPORT_FAKE_HOST_H_
