// davit-controller-bench: the real davit-controller under load. Starts it as a child process, is N
// hosts to it (real gRPC sessions of this process), and asks its API from several clients. All that
// it measures is seen from outside. Needs no root. What the rows mean: docs/benchmarks.md.
//   davit-controller-bench                 the standard set, some minutes
//   davit-controller-bench --quick         less than a minute
//   davit-controller-bench --hosts 5000 --only place,reads --seconds 10
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "bench/controller/scenario.h"

namespace davit::bench {
namespace {

const std::set<std::string> kMeasures = {"place", "reads",   "stop", "memory", "restart",
                                         "idle",  "history", "fill", "reload"};

struct Arguments {
  Settings settings;
  std::vector<int> hosts;
  std::vector<std::string> only;
  int many_hosts = 0;  // of the measures with many tasks
  int64_t many_tasks = 100'000;
  double seconds = 4;
  double idle_seconds = 10;
  bool is_quick = false;
  bool is_json = false;

  bool Has(const std::string& measure) const {
    return only.empty() || std::find(only.begin(), only.end(), measure) != only.end();
  }
};

// What is measured for each number of hosts.
absl::Status RunForHosts(const Arguments& arguments, int hosts, Report* report) {
  Scenario scenario(arguments.settings, hosts, report);
  RETURN_IF_ERROR(scenario.SetUp());
  if (arguments.Has("idle")) {
    RETURN_IF_ERROR(scenario.Idle(absl::Seconds(arguments.idle_seconds)));
  }
  if (arguments.Has("place")) {
    RETURN_IF_ERROR(scenario.Place("RunTask(10)", 10, Behaviour::kSilent));
    RETURN_IF_ERROR(scenario.Place("RunTask(1)", 1, Behaviour::kSilent));
  }
  RETURN_IF_ERROR(scenario.Place("RunTask(10) that run", 10, Behaviour::kRun));
  if (arguments.Has("reads")) {
    RETURN_IF_ERROR(scenario.Read(/*is_placing=*/false));
    RETURN_IF_ERROR(scenario.Read(/*is_placing=*/true));
  }
  if (arguments.Has("memory")) RETURN_IF_ERROR(scenario.Memory("memory"));
  if (arguments.Has("stop")) RETURN_IF_ERROR(scenario.Stop(2000));
  if (arguments.Has("restart")) RETURN_IF_ERROR(scenario.Restart());
  return absl::OkStatus();
}

// After as many finished tasks as many_tasks says: placing, reading and memory again.
absl::Status RunHistory(const Arguments& arguments, Report* report) {
  Scenario scenario(arguments.settings, arguments.many_hosts, report);
  RETURN_IF_ERROR(scenario.SetUp());
  RETURN_IF_ERROR(scenario.Place("history: RunTask(10) that end", 10, Behaviour::kFinish,
                                 arguments.many_tasks));
  RETURN_IF_ERROR(scenario.Memory("history: memory"));
  RETURN_IF_ERROR(scenario.Place("history: RunTask(10)", 10, Behaviour::kSilent));
  RETURN_IF_ERROR(scenario.Place("history: RunTask(1)", 1, Behaviour::kSilent));
  return scenario.Read(/*is_placing=*/true);
}

absl::Status RunReload(const Arguments& arguments, Report* report) {
  Scenario scenario(arguments.settings, arguments.many_hosts, report);
  RETURN_IF_ERROR(scenario.SetUp());
  RETURN_IF_ERROR(
      scenario.Place("many: RunTask(10) that run", 10, Behaviour::kRun, arguments.many_tasks));
  RETURN_IF_ERROR(scenario.Memory("many: memory"));
  RETURN_IF_ERROR(scenario.Idle(absl::Seconds(arguments.idle_seconds)));
  return scenario.Restart();
}

absl::Status RunFill(const Arguments& arguments, Report* report) {
  Scenario scenario(arguments.settings, arguments.hosts.back(), report);
  RETURN_IF_ERROR(scenario.SetUp());
  return scenario.Fill();
}

// "cost per placement grows no faster than log(hosts)", as a row.
void AddGrowth(const Arguments& arguments, Report* report) {
  for (const char* measure : {"RunTask(10)", "RunTask(1)"}) {
    const int few = arguments.hosts.front(), many = arguments.hosts.back();
    const auto fast = report->Find(few, measure), slow = report->Find(many, measure);
    if (few == many || !fast || !slow) continue;
    Row row;
    row.hosts = many;
    row.measure = absl::StrCat("growth of ", measure);
    row.value = *fast / *slow;
    row.unit = "x";
    row.note = absl::StrFormat("of the cost at %d hosts; log(hosts) grows %.2fx", few,
                               std::log(many) / std::log(few));
    report->Add(std::move(row));
  }
}

absl::Status Run(const Arguments& arguments, Report* report) {
  for (const int hosts : arguments.hosts) {
    RETURN_IF_ERROR(RunForHosts(arguments, hosts, report), hosts, " hosts");
  }
  AddGrowth(arguments, report);
  if (arguments.Has("fill")) RETURN_IF_ERROR(RunFill(arguments, report), "fill");
  const bool is_asked = !arguments.only.empty() || !arguments.is_quick;
  if (is_asked && arguments.Has("history")) {
    RETURN_IF_ERROR(RunHistory(arguments, report), "history");
  }
  if (is_asked && arguments.Has("reload")) RETURN_IF_ERROR(RunReload(arguments, report), "reload");
  return absl::OkStatus();
}

std::string ProgramBeside(const std::string& name) {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  const std::string self(path, static_cast<size_t>(std::max<ssize_t>(length, 0)));
  return self.substr(0, self.rfind('/') + 1) + name;
}

int Main(int argc, char** argv) {
  CLI::App app{"The real davit-controller under load, with simulated hosts."};
  Arguments arguments;
  Settings& settings = arguments.settings;
  settings.child.program = ProgramBeside("davit-controller");
  app.add_option("--hosts", arguments.hosts, "numbers of hosts, rising (100,1000,4000,5000)")
      ->delimiter(',')
      ->check(CLI::Range(1, 20000));
  app.add_option("--only", arguments.only,
                 "place,reads,memory,stop,restart,idle,fill,history,reload")
      ->delimiter(',')
      ->check(CLI::IsMember(kMeasures));
  app.add_option("--many-hosts", arguments.many_hosts,
                 "hosts of history and reload (the largest of --hosts)");
  app.add_option("--many-tasks", arguments.many_tasks, "tasks of history and reload")
      ->capture_default_str();
  app.add_option("--clients", settings.clients, "threads that call RunTask")->capture_default_str();
  app.add_option("--channels", settings.channels, "connections that the sessions share")
      ->capture_default_str();
  app.add_option("--seconds", arguments.seconds, "of each load (4; with --quick 1.5)");
  app.add_option("--idle-seconds", arguments.idle_seconds, "of each idle measure");
  app.add_option("--controller", settings.child.program, "the program")->capture_default_str();
  app.add_option("--dir", settings.child.folder, "where its temporary folder is made")
      ->capture_default_str();
  app.add_option("--config", settings.child.extra_config, "more lines of its configuration");
  app.add_flag("--quick", arguments.is_quick, "100 and 1,000 hosts, short loads");
  app.add_flag("--json", arguments.is_json, "a list of rows instead of the table");
  CLI11_PARSE(app, argc, argv);
  if (arguments.is_quick && app.count("--seconds") == 0) arguments.seconds = 1.5;
  if (arguments.is_quick && app.count("--idle-seconds") == 0) arguments.idle_seconds = 3;
  if (arguments.hosts.empty()) {
    arguments.hosts =
        arguments.is_quick ? std::vector{100, 1000} : std::vector{100, 1000, 4000, 5000};
  }
  if (arguments.many_hosts == 0) arguments.many_hosts = arguments.hosts.back();
  settings.time = absl::Seconds(arguments.seconds);
  SetUpLog(LogLevel::kOff, LogFormat::kLogfmt);
  CatchSignals();
  Report report(arguments.is_json);
  const absl::Status status = Run(arguments, &report);
  report.Finish();
  if (status.ok()) return 0;
  std::cerr << "davit-controller-bench: " << status << "\n";
  return 1;
}

}  // namespace
}  // namespace davit::bench

int main(int argc, char** argv) { return davit::bench::Main(argc, argv); }
