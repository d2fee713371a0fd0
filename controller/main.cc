// davit-controller: reads the configuration, builds everything, waits for a signal, stops in
// reverse order.
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/http_server.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/status.h"
#include "base/timers.h"
#include "controller/agents/agents.h"
#include "controller/api/api_server.h"
#include "controller/config.h"
#include "controller/gateway/gateway_server.h"
#include "controller/loop/agent_sessions.h"
#include "controller/loop/loop.h"
#include "controller/store/sqlite_store.h"

namespace davit {
namespace {

using namespace controller;  // NOLINT(google-build-using-namespace): the program is all of it

// systemd does not restart on this one (RestartPreventExitStatus).
constexpr int kExitConfig = 5;
// Decode requests and carry out reads; none of them waits.
constexpr int kApiThreads = 4;
// Unanswered at a time: what waits for a commit costs memory only.
constexpr size_t kMaxRequests = 10'000;
// Encode answers of operations that change the cluster.
constexpr int kEncoderThreads = 2;
constexpr absl::Duration kGoodbyeTime = absl::Seconds(2);

// Blocks the signals that end the program, in this thread and those that it starts.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

controller::change::Options OptionsOf(const ControllerConfig& config) {
  controller::change::Options options;
  options.place = {config.region, config.account};
  options.stopped_retention = config.stopped_retention;
  options.grace = config.grace;
  options.new_id = RandomHex32;
  return options;
}

// Until a signal comes, feeds systemd's watchdog as long as the loop answers.
void WaitForSignal(const sigset_t& signals, loop::Loop* loop) {
  const absl::Duration period = WatchdogPeriod();
  while (true) {
    int received = 0;
    if (period == absl::InfiniteDuration()) {
      sigwait(&signals, &received);
    } else {
      const timespec timeout = absl::ToTimespec(period);
      received = sigtimedwait(&signals, nullptr, &timeout);
      loop->Ping([] { NotifyWatchdog(); });
    }
    if (received == SIGTERM || received == SIGINT) return;
  }
}

absl::Status Run(const ControllerConfig& config, const sigset_t& signals) {
  ASSIGN_OR_RETURN(auto store, store::SqliteStore::Open(config.state_dir));
  ThreadPool writer("controller-loop", 1);
  ThreadPool flusher("controller-send", 1);
  ThreadPool encoders("controller-api", kEncoderThreads);
  ThreadTimers timers;
  loop::Loop loop({OptionsOf(config), store.get(), Clock::Real(), &writer, &timers});
  loop::AgentSessions sessions(&loop, &flusher);
  // Before what their work uses goes away.
  const auto stop = absl::MakeCleanup([&] {
    writer.Stop();
    store.reset();
    flusher.Stop();
  });
  RETURN_IF_ERROR(loop.Start(&sessions));
  ASSIGN_OR_RETURN(
      const auto gateway,
      gateway::GatewayServer::Start({config.gateway_address, config.gateway_port, config.ca_file,
                                     config.cert_file, config.key_file},
                                    &sessions),
      "gateway");
  HttpServerCounters http_counters;
  api::ApiServer api(&loop, &encoders, Clock::Real(), &http_counters, config.access_keys);
  const auto stop_encoders = absl::MakeCleanup([&encoders] { encoders.Stop(); });
  HttpServer::Options http_options;
  http_options.address = config.api_address;
  http_options.port = config.api_port;
  http_options.threads = kApiThreads;
  http_options.max_requests = kMaxRequests;
  http_options.counters = &http_counters;
  const HttpServer::AsyncHandler handler = [&api](HttpServerRequest request,
                                                  HttpResponder respond) {
    api.Handle(std::move(request), std::move(respond));
  };
  ASSIGN_OR_RETURN(auto http, HttpServer::Start(http_options, handler), "api");
  LogInfo("controller started",
          {{"version", DAVIT_VERSION},
           {"api", absl::StrCat(config.api_address, ":", http->port())},
           {"gateway", absl::StrCat(config.gateway_address, ":", gateway->port())},
           {"state_dir", config.state_dir}});
  NotifyReady(absl::StrCat("API on ", config.api_address, ":", http->port()));
  WaitForSignal(signals, &loop);
  NotifyStopping();
  LogInfo("controller stopping");
  http.reset();
  loop.SubmitAlways([](change::Change* change) -> absl::StatusOr<loop::Answer> {
    agents::OnStopping(change);
    return loop::Answer();
  });
  gateway->Stop(kGoodbyeTime);
  // Before the API goes away, whose requests may still wait for a commit.
  writer.Stop();
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app{"Davit's control plane: cluster state, the ECS API, the agents' gateway."};
  std::string config_path = "/etc/davit/controller.toml";
  bool is_check = false;
  bool is_dev = false;
  app.add_option("--config", config_path, "configuration file")->capture_default_str();
  app.add_flag("--check-config", is_check,
               "read the configuration, say what is wrong with it, and exit");
  app.add_flag("--dev", is_dev, "agents without TLS: for one machine only");
  app.set_version_flag("--version", absl::StrCat("davit-controller ", DAVIT_VERSION));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitConfig;
  }
  absl::StatusOr<ConfigReader> reader = ConfigReader::FromFile(config_path);
  absl::StatusOr<ControllerConfig> config =
      reader.ok() ? ReadControllerConfig(*std::move(reader), is_dev) : reader.status();
  if (!config.ok()) {
    std::fprintf(stderr, "davit-controller: %s\n", std::string(config.status().message()).c_str());
    return kExitConfig;
  }
  if (is_check) return 0;
  SetUpLog(config->log_level, config->log_format);
  const sigset_t signals = BlockSignals();
  const absl::Status status = Run(*config, signals);
  if (status.ok()) return 0;
  LogError("controller failed", {{"error", status}});
  return 1;
}

}  // namespace
}  // namespace davit

int main(int argc, char** argv) { return davit::Main(argc, argv); }
