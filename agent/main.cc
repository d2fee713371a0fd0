// davit-agent: configuration -> build everything -> run -> stop in reverse order. No logic.

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "absl/strings/str_join.h"
#include "agent/config.h"
#include "agent/endpoint/endpoint.h"
#include "agent/host.h"
#include "agent/host_probe.h"
#include "agent/image/containerd_image_puller.h"
#include "agent/network/cni_network.h"
#include "agent/resource/libcgroup_task_cgroups.h"
#include "agent/runtime/containerd_runtime.h"
#include "agent/secret/aws_secret_source.h"
#include "agent/secret/folder_secret_source.h"
#include "agent/session/gateway_client.h"
#include "agent/store/sqlite_store.h"
#include "agent/supervisor/supervisor.h"
#include "base/file.h"
#include "base/notify.h"
#include "base/status.h"

namespace davit {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitBadConfig = 5;  // systemd's RestartPreventExitStatus: do not try again
constexpr int kHttpThreads = 2;
constexpr int kRenderThreads = 2;
constexpr size_t kHttpConnections = 2000;
// Prometheus' own patience is 10 s by default.
constexpr absl::Duration kHttpAnswerTimeout = absl::Seconds(8);
constexpr char kKernelLog[] = "/dev/kmsg";
constexpr char kSeccompProfile[] = "/usr/share/containers/seccomp.json";

struct Arguments {
  std::string config_path = "/etc/davit/agent.toml";
  bool check_config = false;
  bool dev = false;
};

// The path of a program that is installed beside this one.
std::string Beside(const char* name) {
  std::error_code error;
  return (std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / name).string();
}

log::LogOptions LogOptionsOf(const AgentConfig& config) {
  log::LogOptions options;
  options.logger_path = config.logger_path.empty() ? Beside("davit-logger") : config.logger_path;
  options.max_size_bytes = static_cast<int64_t>(config.log_max_size_mib) << 20;
  options.max_files = config.log_max_files;
  return options;
}

absl::StatusOr<std::unique_ptr<network::CniNetwork>> OpenNetwork(const AgentConfig& config,
                                                                 const std::string& boot_id) {
  network::CniNetworkConfig options;
  options.bridge = config.bridge;
  options.subnet = config.subnet;
  options.plugin_dir = config.cni_plugin_dir;
  options.run_dir = config.run_dir;
  options.state_dir = config.state_dir;
  ASSIGN_OR_RETURN(options.host_ports, network::ParsePortRange(config.host_port_range));
  options.reserved_ports.insert(config.reserved_ports.begin(), config.reserved_ports.end());
  options.boot_id = boot_id;
  return network::CniNetwork::Open(options);
}

absl::StatusOr<resource::InstanceIdentity> IdentityOf(const AgentConfig& config,
                                                      const resource::HostFacts& facts) {
  resource::InstanceIdentityOptions options;
  options.configured_id = config.instance_id;
  options.imds_endpoint = config.imds_endpoint;
  options.machine_id = facts.machine_id;
  return resource::FindInstanceIdentity(options);
}

secret::AwsOptions AwsOptionsOf(const AgentConfig& config) {
  return {config.aws_region,      config.aws_credentials_file,         config.imds_endpoint,
          config.aws_s3_endpoint, config.aws_secrets_manager_endpoint, config.aws_ssm_endpoint};
}

session::GatewayClient::Options GatewayOptions(const AgentConfig& config) {
  return {config.endpoints, config.dev, config.ca_file, config.cert_file, config.key_file};
}

supervisor::PostMortems::Options PostMortemOptionsOf(const AgentConfig& config) {
  return {config.post_mortem_log_lines, kKernelLog};
}

supervisor::Supervisor::Options SupervisorOptions(const AgentConfig& config,
                                                  const resource::HostFacts& facts,
                                                  const resource::InstanceIdentity& identity,
                                                  const v1::RegistrationRecord& registration) {
  supervisor::Supervisor::Options options;
  options.stop_timeout = config.stop_timeout;
  options.cleanup_after = config.cleanup_after;
  options.capacity = CapacityOf(config, facts);
  options.boot_id = facts.boot_id;
  options.ec2_instance_id = identity.ec2_instance_id;
  options.agent_ids.insert(identity.ec2_instance_id);
  options.agent_ids.insert(registration.former_ec2_instance_ids().begin(),
                           registration.former_ec2_instance_ids().end());
  options.orphan_grace = config.orphan_grace;
  options.reconcile_interval = config.reconcile_interval;
  return options;
}

// Feeds systemd's watchdog through the supervisor's mailbox: a stuck supervisor is a dead agent.
void FeedWatchdog(Timers* timers, Executor* control, supervisor::Supervisor* supervisor) {
  const absl::Duration period = WatchdogPeriod();
  if (period == absl::InfiniteDuration()) return;
  timers->After(period, control, [timers, control, supervisor] {
    supervisor->Ping([timers, control, supervisor] {
      NotifyWatchdog();
      FeedWatchdog(timers, control, supervisor);
    });
  });
}

absl::StatusOr<std::unique_ptr<store::Store>> OpenStore(const AgentConfig& config) {
  ASSIGN_OR_RETURN(
      store::SqliteStore::Opened opened,
      store::SqliteStore::OpenOrSetAside(config.state_dir + "/agent.db", Clock::Real()->Now()),
      "agent.state_dir");
  if (opened.damage) {
    LogError("the agent's records were damaged; what could be read of them is kept",
             {{"damage", opened.damage->what},
              {"set_aside", opened.damage->set_aside},
              {"records_kept", opened.damage->records_kept}});
  }
  return std::move(opened.store);
}

absl::Status Run(const AgentConfig& config, const sigset_t& signals) {
  RETURN_IF_ERROR(MakeDirectories(config.state_dir, 0700), "agent.state_dir");
  RETURN_IF_ERROR(MakeDirectories(config.run_dir, 0755), "agent.run_dir");
  ASSIGN_OR_RETURN(const resource::HostFacts facts, resource::ReadHostFacts("/"));
  ASSIGN_OR_RETURN(const resource::InstanceIdentity identity, IdentityOf(config, facts));
  ASSIGN_OR_RETURN(const std::unique_ptr<store::Store> store, OpenStore(config));
  ASSIGN_OR_RETURN(store::StoredState stored, store->Load());
  if (!stored.undecodable.empty()) {
    LogError("stored records cannot be understood and are skipped",
             {{"keys", absl::StrJoin(stored.undecodable, ",")}});
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> foreign_tasks,
                   ReconcileIdentity(config.cluster, identity.ec2_instance_id, &stored));
  for (const std::string& task_id : foreign_tasks) store->RemoveTask(task_id);
  if (!foreign_tasks.empty())
    LogWarning("stored tasks of another host are dropped", {{"tasks", foreign_tasks.size()}});
  ASSIGN_OR_RETURN(const auto cgroups,
                   resource::LibcgroupTaskCgroups::Create(config.cgroup_parent));
  ASSIGN_OR_RETURN(const auto network, OpenNetwork(config, facts.boot_id));
  const supervisor::TaskFiles files(config.state_dir);

  ThreadPool control("control", 2);
  ThreadTimers timers;
  BlockingCalls calls(Clock::Real(), &timers, &control);
  const LanePool::Deps lanes{Clock::Real(), &timers, &control, &calls};
  LanePool runtime_pool({.name = "runtime", .threads = 8}, lanes);
  LanePool signal_pool({.name = "signal", .threads = 8}, lanes);
  LanePool inspection_pool({.name = "inspection", .threads = 4}, lanes);
  // What comes from afar takes long, and one task may have many images: those are no reason to
  // wait.
  LanePool image_pool({.name = "image", .threads = 8, .calls_per_lane = 8}, lanes);
  LanePool network_pool({.name = "network", .threads = 4}, lanes);
  // A check may take seconds; the number of threads bounds the processes of checks.
  LanePool health_pool(
      {.name = "health", .threads = 8, .calls_per_lane = 4, .long_call = absl::Seconds(10)}, lanes);
  const supervisor::Pools pools{&control,    &runtime_pool, &signal_pool, &inspection_pool,
                                &image_pool, &network_pool, &health_pool};

  containerd::Client client({config.containerd_address, config.containerd_namespace});
  runtime::ContainerdRuntimeOptions runtime_options;
  runtime_options.snapshotter = config.snapshotter;
  runtime_options.runtime = config.runtime;
  runtime_options.davit_runc = Beside("davit-runc");
  runtime_options.exec_folder = config.run_dir + "/exec";
  // What an agent that was killed has left there.
  RETURN_IF_ERROR(RemoveAll(runtime_options.exec_folder), "agent.run_dir");
  runtime::ContainerdRuntime runtime(&client, runtime_options);
  image::ImagePullerOptions image_options;
  image_options.snapshotter = config.snapshotter;
  image_options.registry.insecure_registries = config.insecure_registries;
  image_options.concurrent_layers = config.concurrent_layers;
  image::ContainerdImagePuller puller(&client, image_options);

  const supervisor::PostMortems post_mortems(PostMortemOptionsOf(config), cgroups.get(), &files);
  supervisor::Supervisor supervisor(SupervisorOptions(config, facts, identity, stored.registration),
                                    {pools, &timers, Clock::Real(), store.get(), &runtime,
                                     cgroups.get(), network.get(), &files, &calls, &post_mortems});
  const secret::AwsClient aws(AwsOptionsOf(config));
  const secret::FolderSecretSource folder_secrets(config.secrets_directory);
  const secret::AwsSecretSource aws_secrets(&aws);
  const secret::ValueResolver values(&aws, {&folder_secrets, &aws_secrets});
  spec::HostFacts spec_facts = ToSpecFacts(config, facts, ReadFile(kSeccompProfile).value_or(""));
  if (FileExists(Beside("davit-pause"))) spec_facts.pause_path = Beside("davit-pause");
  const supervisor::HostParts host{&runtime, cgroups.get(), network.get(), &files};
  const std::string& label = identity.ec2_instance_id;
  const supervisor::TaskProvisioning provisioning(
      {&runtime, cgroups.get(), &files, &spec_facts, label});
  const supervisor::ContainerInputs inputs({&puller, &values});
  const supervisor::ContainerCreation creation({host, &spec_facts, LogOptionsOf(config), label});
  const supervisor::ContainerLife life({&runtime, cgroups.get()});
  const supervisor::TaskRemoval removal(host, &post_mortems);
  supervisor::TaskEffects effects(
      {pools, &timers, &supervisor, &provisioning, &inputs, &creation, &life, &removal});
  session::Session session(
      {&control, &timers, store.get(), &supervisor,
       [&] { return endpoint::ImpairmentOf(supervisor, *store); }, Clock::Real(),
       config.stop_after_disconnect},
      HelloOf(config, facts, identity, runtime.Version().value_or("containerd")),
      stored.registration);
  supervisor.Connect(&effects, &session);
  ASSIGN_OR_RETURN(const auto gateway, session::GatewayClient::Create(GatewayOptions(config),
                                                                      &control, &timers, &session));
  ThreadPool render_pool("render", kRenderThreads);
  HttpServerCounters http_counters;
  endpoint::Endpoint endpoint({&supervisor,
                               [&] { return session.state(); },
                               store.get(),
                               cgroups.get(),
                               {{"control", [&] { return control.Depth(); }},
                                {"runtime", [&] { return runtime_pool.Depth(); }},
                                {"image", [&] { return image_pool.Depth(); }},
                                {"network", [&] { return network_pool.Depth(); }},
                                {"signal", [&] { return signal_pool.Depth(); }},
                                {"inspection", [&] { return inspection_pool.Depth(); }},
                                {"health", [&] { return health_pool.Depth(); }},
                                {"render", [&] { return render_pool.Depth(); }}},
                               &http_counters,
                               DAVIT_VERSION,
                               &files},
                              config.cluster, &render_pool);
  HttpServer::Options http;
  http.address = config.http_address;
  http.port = config.http_port;
  http.threads = kHttpThreads;
  http.max_connections = kHttpConnections;
  http.answer_timeout = kHttpAnswerTimeout;
  http.counters = &http_counters;
  ASSIGN_OR_RETURN(const auto server,
                   HttpServer::Start(http,
                                     [&](const HttpServerRequest& request, HttpResponder respond) {
                                       endpoint.Handle(request, std::move(respond));
                                     }),
                   "http.port");

  supervisor.Start(stored.tasks);
  gateway->Start();
  FeedWatchdog(&timers, &control, &supervisor);
  LogInfo("agent started", {{"version", DAVIT_VERSION},
                            {"ec2_instance_id", identity.ec2_instance_id},
                            {"cluster", config.cluster},
                            {"tasks", stored.tasks.size()}});
  NotifyReady("running");
  int signal = 0;
  sigwait(&signals, &signal);
  LogInfo("agent stops, containers go on", {{"signal", signal}});
  NotifyStopping();
  gateway->Stop();
  // Records are durable before any effect, and containers do not need us: nothing else has to be
  // waited for. Threads may hang in calls to a dead containerd, so the process ends here instead of
  // joining them.
  std::_Exit(0);
}

int Main(const Arguments& arguments) {
  absl::StatusOr<AgentConfig> config = LoadAgentConfig(arguments.config_path, arguments.dev);
  if (!config.ok()) {
    std::cerr << config.status().message() << "\n";
    return kExitBadConfig;
  }
  if (arguments.check_config) {
    std::cout << arguments.config_path << ": OK\n";
    return 0;
  }
  SetUpLog(config->log_level, config->log_format);
  if (const std::vector<std::string> missing = DropAbsentGpus(ScanDevices("/dev"), &*config);
      !missing.empty()) {
    LogError("GPUs are not offered to tasks: device nodes are missing",
             {{"missing", absl::StrJoin(missing, ",")}});
  }
  // Blocked before any thread exists: sigwait() gets them, and containers' stops never come by a
  // stray signal.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const absl::Status status = Run(*config, signals);
  LogError("agent cannot run", {{"status", status}});
  return kExitFailure;
}

}  // namespace
}  // namespace davit

int main(int argc, char** argv) {
  CLI::App app("davit-agent: runs a controller's tasks on this host");
  davit::Arguments arguments;
  app.add_option("--config", arguments.config_path, "configuration file (TOML)")
      ->capture_default_str();
  app.add_flag("--check-config", arguments.check_config,
               "check the configuration, list all errors, and exit");
  app.add_flag("--dev", arguments.dev, "speak to the controller without TLS");
  app.set_version_flag("--version", "davit-agent " DAVIT_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version are "errors" of code 0.
    return app.exit(error) == 0 ? 0 : davit::kExitBadConfig;
  }
  return davit::Main(arguments);
}
