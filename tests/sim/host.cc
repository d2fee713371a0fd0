#include "tests/sim/host.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/image/fake_image_puller.h"
#include "agent/session/session.h"
#include "agent/supervisor/supervisor.h"
#include "tests/sim/agent_link.h"
#include "tests/sim/host_world.h"

namespace davit::sim {
namespace {

constexpr int kCpuUnits = 4096;
constexpr int kMemoryMiB = 1000;
constexpr absl::Duration kCleanupAfter = absl::Minutes(1);
constexpr size_t kControl = 0, kRuntime = 1, kImage = 2, kNetwork = 3, kHealth = 4;  // pools
constexpr int kBuryLimit = 1'000'000;

// Exit codes that programs really give: success, failures, and those that look like signals.
constexpr std::array<int, 6> kExitCodes = {0, 1, 2, 42, 137, 255};

void AddResource(const std::string& name, int value, v1::Hello* hello) {
  v1::Resource* resource = hello->add_resources();
  resource->set_name(name);
  resource->set_type("INTEGER");
  resource->set_integer_value(value);
}

v1::Hello MakeHello(size_t host, int agent, int boot) {
  v1::Hello hello;
  hello.set_protocol_version(1);
  hello.set_cluster("default");
  hello.set_ec2_instance_id(absl::StrCat("i-", host));
  hello.set_agent_instance_id(absl::StrCat("agent-", host, "-", agent));
  hello.set_boot_id(absl::StrCat("boot-", host, "-", boot));
  AddResource("CPU", kCpuUnits, &hello);
  AddResource("MEMORY", kMemoryMiB, &hello);
  v1::Attribute* attribute = hello.add_attributes();
  attribute->set_name("ecs.cpu-architecture");
  attribute->set_value("x86_64");
  return hello;
}

}  // namespace

// One process of davit-agent, built as agent/main.cc builds it.
struct Host::Agent {
  explicit Agent(Host* host)
      : process(host->deps_.clock, {2, 8, 8, 4, 8}),
        interference(host->random_.Fork()),
        runtime(&host->runtime_, &interference, host->deps_.bug),
        cgroups(&host->cgroups_, &interference,
                [host](const std::string& path) { host->KillContainerOf(path); }),
        network(&host->containers_network_, &interference),
        store(&host->disk_, &interference, host->deps_.bug),
        stored(*store.Load()),
        supervisor(SupervisorOptions(*host), SupervisorDeps(*host)),
        effects(EffectsDeps(*host)),
        session({&process.pools[kControl], &process.timers, &store, &supervisor,
                 [] { return std::string(); }},
                MakeHello(host->number_, host->agents_started_, host->boots_), stored.registration),
        link(host->number_, host->deps_.network, &process.pools[kControl], &process.timers,
             &session, host->random_.Fork()) {
    puller.Fail("example.com/missing:1", absl::NotFoundError("no such image"));
    supervisor.Connect(&effects, &session);
    supervisor.Start(stored.tasks);
    link.Dial();
  }

  supervisor::Pools Pools() {
    return {&process.pools[kControl], &process.pools[kRuntime], &process.pools[kImage],
            &process.pools[kNetwork], &process.pools[kHealth]};
  }
  static supervisor::Supervisor::Options SupervisorOptions(const Host& host) {
    supervisor::Supervisor::Options options;
    options.cleanup_after = kCleanupAfter;
    options.capacity = {.cpu = kCpuUnits, .memory = kMemoryMiB, .tcp_ports = {}, .udp_ports = {}};
    options.boot_id = absl::StrCat("boot-", host.number_, "-", host.boots_);
    options.agent_ids = {absl::StrCat("i-", host.number_)};
    return options;
  }
  supervisor::Supervisor::Deps SupervisorDeps(const Host& host) {
    supervisor::Supervisor::Deps deps{};
    deps.pools = Pools();
    deps.timers = &process.timers;
    deps.clock = host.deps_.clock;
    deps.store = &store;
    deps.runtime = &runtime;
    deps.cgroups = &cgroups;
    deps.network = &network;
    deps.files = &host.files_;
    return deps;
  }
  supervisor::TaskEffects::Deps EffectsDeps(const Host& host) {
    supervisor::TaskEffects::Deps deps{};
    deps.pools = Pools();
    deps.timers = &process.timers;
    deps.runtime = &runtime;
    deps.puller = &puller;
    deps.cgroups = &cgroups;
    deps.network = &network;
    deps.files = &host.files_;
    deps.host = &supervisor;
    deps.facts.architecture = "amd64";
    deps.log.logger_path = "/usr/bin/davit-logger";
    deps.agent_label = absl::StrCat("i-", host.number_);
    return deps;
  }

  // The queues of a dead process are not freed by its kernel: actors hold themselves while they
  // have mail. So what is left runs, and does nothing.
  void Bury() {
    interference.is_dead = true;
    link.Abandon();
    Random in_order(0);
    for (int i = 0; i < kBuryLimit; ++i) {
      bool is_idle = true;
      for (Pool& pool : process.pools) {
        if (pool.empty()) continue;
        pool.RunOne(&in_order);
        is_idle = false;
      }
      if (is_idle) return;
    }
  }

  Process process;  // first: all else may have work in it
  Interference interference;
  AgentRuntime runtime;
  AgentCgroups cgroups;
  AgentNetwork network;
  AgentStore store;
  const store::StoredState stored;
  image::FakeImagePuller puller;
  supervisor::Supervisor supervisor;
  supervisor::TaskEffects effects;
  session::Session session;
  AgentLink link;
};

Host::Host(size_t number, const Deps& deps, Random random)
    : number_(number),
      deps_(deps),
      random_(random),
      world_(deps.clock, {1}),
      runtime_(deps.clock, &world_.pools[0]),
      files_(deps.state_dir) {
  runtime_.SetOnStart([this](const runtime::ContainerSpec& spec) { return OnStart(spec); });
  runtime_.SetOnEnd([this](const std::string& id, int code) { deps_.witness->OnEnd(id, code); });
  if (random_.Chance(0.3)) runtime_.IgnoreSignal(SIGTERM);
}

Host::~Host() { CrashAgent(); }

void Host::StartAgent() {
  if (agent_ != nullptr) return;
  ++agents_started_;
  agent_ = std::make_unique<Agent>(this);
}

void Host::CrashAgent() {
  if (agent_ == nullptr) return;
  runtime_.Watch(nullptr);
  disk_.LosePower();
  agent_->Bury();
  agent_ = nullptr;
}

void Host::Reboot() {
  CrashAgent();
  ++boots_;
  runtime_.Reboot();
  const std::vector<std::string> cgroups = *cgroups_.List();
  for (const std::string& task_id : cgroups) {
    static_cast<void>(cgroups_.Remove(task_id, absl::ZeroDuration()));  // the fake's never fails
  }
  deps_.witness->OnReboot(number_);
}

Process* Host::agent_process() { return agent_ == nullptr ? nullptr : &agent_->process; }

Interference* Host::interference() { return agent_ == nullptr ? nullptr : &agent_->interference; }

bool Host::can_sync() const {
  const absl::Duration now = deps_.clock->Monotonic();
  return agent_ != nullptr && agent_->store.is_waiting() && now >= disk_held_until_ &&
         !agent_->process.is_paused(now);
}

void Host::Sync() { agent_->store.Sync(); }

// What a program does is known by its image's name: a job ends by itself, all others may crash.
std::optional<int> Host::OnStart(const runtime::ContainerSpec& spec) {
  deps_.witness->OnStart(number_, spec.id);
  const bool is_job = absl::StrContains(spec.image_name, "job");
  const int exit_code = kExitCodes[random_.Below(kExitCodes.size())];
  if (random_.Chance(is_job ? 0.3 : 0.02)) return exit_code;
  if (is_job || random_.Chance(0.1)) {
    world_.timers.After(random_.Within(absl::Minutes(2)), &world_.pools[0],
                        [this, id = spec.id, exit_code] { runtime_.Exit(id, exit_code); });
  }
  return std::nullopt;
}

void Host::RunOutOfMemory(const std::string& container_id) {
  const std::string task_id = TaskIdOf(container_id);
  const std::string container = container_id.substr(task_id.size() + 1);
  cgroups_.SimulateContainerCgroup(task_id, container);
  resource::CgroupUsage usage;
  usage.oom_kills = 1;
  cgroups_.SimulateUsage(cgroups_.ContainerPath(task_id, container), usage);
  deps_.witness->OnOutOfMemory(container_id);
  runtime_.RunOutOfMemory(container_id);
}

// Nothing, if the path is a whole task's.
void Host::KillContainerOf(const std::string& cgroup_path) {
  for (const std::string& id : deps_.witness->LiveOn(number_)) {
    const std::string task_id = TaskIdOf(id);
    if (cgroups_.ContainerPath(task_id, id.substr(task_id.size() + 1)) == cgroup_path) {
      runtime_.Exit(id, 128 + SIGKILL);
    }
  }
}

void Host::KillShim(const std::string& container_id) {
  runtime_.KillShim(container_id);
  deps_.witness->OnEvidenceLost(container_id);
}

std::vector<std::string> Host::WhatIsOwned() {
  std::vector<std::string> owned;
  const auto add = [&owned](absl::string_view kind, const std::vector<std::string>& names) {
    for (const std::string& name : names) owned.push_back(absl::StrCat(kind, " ", name));
  };
  const std::vector<runtime::ContainerInfo> containers = *runtime_.List();
  for (const runtime::ContainerInfo& info : containers) add("container", {info.id});
  add("lease", *runtime_.ListLeases());
  add("snapshot", runtime_.Snapshots());
  add("cgroup", *cgroups_.List());
  add("network", *containers_network_.List());
  const store::StoredState stored = *disk_.Load();
  for (const v1::TaskRecord& record : stored.tasks) {
    add("record", {record.assignment().task_arn()});
  }
  for (const char* folder : {"tasks", "logs"}) {
    std::error_code error;
    const std::filesystem::directory_iterator entries(absl::StrCat(deps_.state_dir, "/", folder),
                                                      error);
    if (error) continue;
    for (const auto& entry : entries) add(folder, {entry.path().filename().string()});
  }
  return owned;
}

}  // namespace davit::sim
