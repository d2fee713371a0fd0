#include "tests/sim/host.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host.h"
#include "agent/image/fake_image_puller.h"
#include "agent/session/session.h"
#include "agent/supervisor/supervisor.h"
#include "base/file.h"
#include "tests/sim/agent_link.h"
#include "tests/sim/host_world.h"

namespace davit::sim {
namespace {

constexpr int kCpuUnits = 4096;
constexpr int kMemoryMiB = 1000;
constexpr absl::Duration kCleanupAfter = absl::Minutes(1);
constexpr size_t kControl = 0, kRuntime = 1, kImage = 2, kNetwork = 3, kHealth = 4, kSignal = 5,
                 kInspection = 6;  // pools
constexpr int kBuryLimit = 1'000'000;

// Exit codes that programs really give: success, failures, and those that look like signals.
constexpr std::array<int, 6> kExitCodes = {0, 1, 2, 42, 137, 255};

void AddResource(const std::string& name, int value, v1::Hello* hello) {
  v1::Resource* resource = hello->add_resources();
  resource->set_name(name);
  resource->set_type("INTEGER");
  resource->set_integer_value(value);
}

}  // namespace

// One process of davit-agent, built as agent/main.cc builds it.
struct Host::Agent {
  explicit Agent(Host* host)
      : process(host->deps_.clock, {2, 8, 8, 4, 8, 4, 4}),
        calls(&host->clock_, &process.timers, &process.pools[kControl]),
        interference(host->random_.Fork()),
        runtime(&host->runtime_, &interference, host->deps_.witness, host->deps_.bug),
        cgroups(&host->cgroups_, &interference,
                [host](const std::string& path) { host->KillContainerOf(path); }),
        network(&host->containers_network_, &interference),
        store(&host->disk_, &interference, host->deps_.bug),
        stored(LoadState(*host)),
        post_mortems({}, &cgroups, &host->files_),
        supervisor(SupervisorOptions(*host), SupervisorDeps(*host)),
        facts(Facts()),
        provisioning({&runtime, &cgroups, &host->files_, &facts, host->InstanceId()}),
        inputs({&puller, nullptr}),
        creation({Parts(*host), &facts, LogOptions(), host->InstanceId()}),
        life({&runtime, &cgroups}),
        removal(Parts(*host), &post_mortems),
        effects({Pools(), &process.timers, &supervisor, &provisioning, &inputs, &creation, &life,
                 &removal}),
        session({&process.pools[kControl], &process.timers, &store, &supervisor,
                 [] { return std::string(); }, &host->clock_},
                host->Hello(), stored.registration),
        link(host->number_,
             {host->deps_.network, host->deps_.witness, &process.pools[kControl], &process.timers,
              &session, host->deps_.bug},
             host->random_.Fork()) {
    if (host->deps_.bug == Bug::kStrangersKilled && stored.tasks.empty()) KillStrangers();
    puller.Fail("example.com/missing:1", absl::NotFoundError("no such image"));
    supervisor.Connect(&effects, &session);
    supervisor.Start(stored.tasks);
    link.Dial();
  }

  // As agent/main.cc has it, before anything else is made.
  store::StoredState LoadState(const Host& host) {
    store::StoredState state = *store.Load();
    if (host.deps_.bug == Bug::kForeignStateKept) return state;
    const std::vector<std::string> foreign =
        *ReconcileIdentity("default", host.InstanceId(), &state);
    for (const std::string& id : foreign) store.RemoveTask(id);
    return state;
  }

  void KillStrangers() {
    const std::vector<runtime::ContainerInfo> strangers =
        runtime.List().value_or(std::vector<runtime::ContainerInfo>());
    for (const runtime::ContainerInfo& info : strangers) {
      static_cast<void>(runtime.Remove(info.id));
    }
  }

  supervisor::Pools Pools() {
    return {&process.pools[kControl],    &process.pools[kRuntime], &process.pools[kSignal],
            &process.pools[kInspection], &process.pools[kImage],   &process.pools[kNetwork],
            &process.pools[kHealth]};
  }
  supervisor::Supervisor::Options SupervisorOptions(const Host& host) const {
    supervisor::Supervisor::Options options;
    options.cleanup_after = kCleanupAfter;
    options.capacity = {.cpu = kCpuUnits, .memory = kMemoryMiB, .tcp_ports = {}, .udp_ports = {}};
    options.boot_id = absl::StrCat("boot-", host.number_, "-", host.boots_);
    options.ec2_instance_id = host.InstanceId();
    options.agent_ids = {host.InstanceId()};
    for (const std::string& former : stored.registration.former_ec2_instance_ids()) {
      options.agent_ids.insert(former);
    }
    return options;
  }
  supervisor::Supervisor::Deps SupervisorDeps(const Host& host) {
    supervisor::Supervisor::Deps deps{};
    deps.pools = Pools();
    deps.timers = &process.timers;
    deps.clock = &host.clock_;
    deps.store = &store;
    deps.runtime = &runtime;
    deps.cgroups = &cgroups;
    deps.network = &network;
    deps.files = &host.files_;
    deps.calls = &calls;
    deps.post_mortems = &post_mortems;
    return deps;
  }
  supervisor::HostParts Parts(const Host& host) {
    return {&runtime, &cgroups, &network, &host.files_};
  }
  static spec::HostFacts Facts() {
    spec::HostFacts facts;
    facts.architecture = "amd64";
    return facts;
  }
  static log::LogOptions LogOptions() {
    log::LogOptions options;
    options.logger_path = "/usr/bin/davit-logger";
    return options;
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
  BlockingCalls calls;
  Interference interference;
  AgentRuntime runtime;
  AgentCgroups cgroups;
  AgentNetwork network;
  AgentStore store;
  const store::StoredState stored;
  image::FakeImagePuller puller;
  const supervisor::PostMortems post_mortems;
  supervisor::Supervisor supervisor;
  const spec::HostFacts facts;
  const supervisor::TaskProvisioning provisioning;
  const supervisor::ContainerInputs inputs;
  const supervisor::ContainerCreation creation;
  const supervisor::ContainerLife life;
  const supervisor::TaskRemoval removal;
  supervisor::TaskEffects effects;
  session::Session session;
  AgentLink link;
};

Host::Host(size_t number, const Deps& deps, Random random)
    : number_(number),
      deps_(deps),
      random_(random),
      clock_(deps.clock),
      world_(deps.clock, {1}),
      runtime_(&clock_, &world_.pools[0]),
      files_(deps.state_dir) {
  known_as_.insert(InstanceId());
  runtime_.SetOnStart([this](const runtime::ContainerSpec& spec) { return OnStart(spec); });
  runtime_.SetOnExec([this](const runtime::ExecSpec& spec) { return OnExec(spec); });
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
  clock_.Boot();
  runtime_.Reboot();
  const std::vector<std::string> cgroups = *cgroups_.List();
  for (const std::string& task_id : cgroups) {
    static_cast<void>(cgroups_.Remove(task_id, absl::ZeroDuration()));  // the fake's never fails
  }
  deps_.witness->OnReboot(number_);
}

std::string Host::InstanceId() const { return absl::StrCat("i-", number_, "-", instances_); }

v1::Hello Host::Hello() const {
  v1::Hello hello;
  hello.set_protocol_version(2);
  hello.set_cluster("default");
  hello.set_ec2_instance_id(InstanceId());
  hello.set_agent_instance_id(absl::StrCat("agent-", number_, "-", agents_started_));
  hello.set_boot_id(absl::StrCat("boot-", number_, "-", boots_));
  AddResource("CPU", kCpuUnits, &hello);
  AddResource("MEMORY", kMemoryMiB, &hello);
  v1::Attribute* attribute = hello.add_attributes();
  attribute->set_name("ecs.cpu-architecture");
  attribute->set_value("x86_64");
  return hello;
}

void Host::LoseStore(bool is_everything) {
  CrashAgent();
  if (is_everything) static_cast<void>(RemoveAll(deps_.state_dir));
  Witness::Losses losses;
  disk_.Damage([&](const std::string& task_id) {
    const bool is_lost = is_everything || random_.Chance(0.5);
    if (is_lost && task_id.empty()) known_as_ = {InstanceId()};
    if (is_lost) losses.tasks.insert(task_id);
    return is_lost;
  });
  for (const std::string& id : deps_.witness->ContainersOn(number_)) {
    const std::optional<runtime::ContainerInfo> info = runtime_.FindInfo(id);
    if (info.has_value()) losses.records_kept.insert(id);
    if (info.has_value() && info->exit_code.has_value()) losses.ends_kept.insert(id);
  }
  deps_.witness->OnStoreLost(number_, losses);
}

void Host::BecomeAnotherInstance() {
  CrashAgent();
  deps_.witness->OnInstanceGone(number_, InstanceId());
  // Recorded once the controller has welcomed it: if it has not, since its records were lost,
  // nothing tells.
  if (disk_.Load()->registration.ec2_instance_id() != InstanceId()) known_as_.erase(InstanceId());
  ++instances_;
  known_as_.insert(InstanceId());
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
  const std::string task_id = TaskIdOf(spec.id);
  // runc makes the container's cgroup anew.
  cgroups_.SimulateUsage(cgroups_.ContainerPath(task_id, spec.id.substr(task_id.size() + 1)), {});
  const auto is_of = [&spec](absl::string_view kind) {
    return absl::StrContains(spec.image_name, kind);
  };
  const bool is_job = is_of("job");
  const bool succeeds = is_of("good") && random_.Chance(0.8);
  const int exit_code = succeeds ? 0 : kExitCodes[random_.Below(kExitCodes.size())];
  if (random_.Chance(is_job ? 0.3 : 0.02)) return exit_code;
  ill_.erase(spec.id);
  if (random_.Chance(0.3)) ChangeHealth(spec.id);
  if (is_job || random_.Chance(is_of("phoenix") ? 0.9 : 0.1)) {
    const absl::Duration longest = absl::Minutes(is_of("phoenix") ? 6 : 2);
    world_.timers.After(random_.Within(longest), &world_.pools[0],
                        [this, id = spec.id, exit_code] { runtime_.Exit(id, exit_code); });
  }
  return std::nullopt;
}

// Now, and again, until the world calms down.
void Host::ChangeHealth(const std::string& container_id) {
  if (is_calm_) return;
  if (ill_.erase(container_id) == 0) ill_.insert(container_id);
  world_.timers.After(random_.Within(absl::Minutes(2)), &world_.pools[0],
                      [this, container_id] { ChangeHealth(container_id); });
}

absl::StatusOr<runtime::ExecResult> Host::OnExec(const runtime::ExecSpec& spec) {
  if (!is_calm_ && random_.Chance(0.1)) return absl::UnavailableError("its shim does not answer");
  if (IsWell(spec.container_id)) return runtime::ExecResult();
  if (random_.Chance(0.3)) return absl::DeadlineExceededError("no end within 5s");
  runtime::ExecResult failed;
  failed.exit_code = 1;
  return failed;
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
      deps_.witness->OnSignal(id);
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
  const std::vector<runtime::ContainerInfo> containers = *runtime_.List();
  std::set<std::string> foreign;  // task ids
  for (const runtime::ContainerInfo& info : containers) {
    if (!known_as_.contains(info.labels.at("davit.agent"))) foreign.insert(TaskIdOf(info.id));
  }
  const auto add = [&](absl::string_view kind, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const bool is_foreign = std::any_of(foreign.begin(), foreign.end(), [&](const auto& id) {
        return absl::StrContains(name, id);
      });
      if (!is_foreign) owned.push_back(absl::StrCat(kind, " ", name));
    }
  };
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
