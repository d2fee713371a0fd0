#include "bench/controller/scenario.h"

#include <signal.h>

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/status.h"

namespace davit::bench {
namespace {

constexpr int kBatch = 10;  // RunTask's limit
constexpr int kPage = 100;  // limit of DescribeTasks and ListTasks
constexpr absl::Duration kLong = absl::Minutes(10);
constexpr int kBigTaskShare = 10;  // so many big tasks fit on a host

// As real ones: an environment, a log driver, a health check's worth of members.
std::string Definition(const std::string& family, int cpu, int memory) {
  return absl::StrFormat(
      R"({"family":"%s","networkMode":"host","containerDefinitions":[{"name":"app",)"
      R"("image":"registry.example.com/team/web:1.27.3","cpu":%d,"memory":%d,"essential":true,)"
      R"("command":["serve","--listen","8080"],"stopTimeout":10,"environment":[)"
      R"({"name":"STAGE","value":"production"},{"name":"REGION","value":"us-east-1"},)"
      R"({"name":"DATABASE","value":"postgres.internal.example.com:5432/app"}]}]})",
      family, cpu, memory);
}

// The value of a member whose value is a string; empty if it is not there.
std::string StringMember(absl::string_view json, absl::string_view name) {
  const std::string key = absl::StrCat("\"", name, "\":\"");
  const size_t found = json.find(key);
  if (found == absl::string_view::npos) return "";
  const size_t start = found + key.size();
  return std::string(json.substr(start, json.find('"', start) - start));
}

}  // namespace

Scenario::Scenario(const Settings& settings, int hosts, Report* report)
    : settings_(settings), hosts_(hosts), report_(report), child_(settings.child) {}

Row Scenario::NewRow(const std::string& measure) const {
  Row row;
  row.hosts = hosts_;
  row.measure = measure;
  return row;
}

LoadLimit Scenario::Limit() const {
  LoadLimit limit;
  limit.threads = settings_.clients;
  limit.time = settings_.time;
  return limit;
}

absl::Status Scenario::Await(const std::string& what, absl::Duration limit,
                             const std::function<bool()>& is_reached) const {
  for (const absl::Time end = absl::Now() + limit; !is_reached();) {
    if (absl::Now() > end) return absl::DeadlineExceededError(absl::StrCat("waited for ", what));
    if (IsInterrupted()) return absl::CancelledError("interrupted");
    absl::SleepFor(absl::Milliseconds(2));
  }
  return absl::OkStatus();
}

absl::Status Scenario::SetUp() {
  RETURN_IF_ERROR(child_.Start());
  ApiClient client(child_.api_port());
  RETURN_IF_ERROR(client.Call("CreateCluster", R"({"clusterName":"bench"})").status());
  SimulatedAgents::Options options;
  options.count = hosts_;
  options.gateway_port = child_.gateway_port();
  options.channels = settings_.channels;
  options.cluster = "bench";
  for (const std::string& definition :
       {Definition("small", 10, 16),
        Definition("big", options.cpu / kBigTaskShare, options.memory_mib / kBigTaskShare)}) {
    RETURN_IF_ERROR(client.Call("RegisterTaskDefinition", definition).status());
  }
  agents_ = std::make_unique<SimulatedAgents>(options);
  const absl::Duration cpu = child_.CpuTime();
  const absl::Time begin = absl::Now();
  agents_->Start();
  RETURN_IF_ERROR(Await("the hosts to register", kLong,
                        [this] { return agents_->counts().complete == hosts_; }));
  const absl::Duration time = absl::Now() - begin;
  empty_mib_ = child_.ResidentMib();
  Row row = NewRow("register hosts");
  row.value = hosts_ / absl::ToDoubleSeconds(time);
  row.unit = "/s";
  row.cpu_us = absl::ToDoubleMicroseconds(child_.CpuTime() - cpu) / hosts_;
  row.note = absl::StrFormat("%.2f s; %.1f MiB", absl::ToDoubleSeconds(time), empty_mib_);
  report_->Add(std::move(row));
  return absl::OkStatus();
}

Call Scenario::RunTask(int count, const std::string& family, std::atomic<int64_t>* refused) {
  const std::string body = absl::StrFormat(
      R"({"cluster":"bench","taskDefinition":"%s","count":%d,"startedBy":"bench"})", family, count);
  return [this, body, count, refused](ApiClient* client) -> absl::StatusOr<int64_t> {
    ASSIGN_OR_RETURN(const std::string answer, client->Call("RunTask", body));
    std::vector<std::string> arns = TaskArnsOf(answer);
    const auto placed = static_cast<int64_t>(arns.size());
    if (placed != count && refused == nullptr) {
      return absl::InternalError(absl::StrCat("not all tasks were placed: ", answer));
    }
    if (refused != nullptr) *refused += count - placed;
    placed_ += placed;
    MutexLock lock(&mu_);
    std::move(arns.begin(), arns.end(), std::back_inserter(arns_));
    return placed;
  };
}

Call Scenario::DescribeTasks() {
  return [this](ApiClient* client) -> absl::StatusOr<int64_t> {
    thread_local std::minstd_rand random{1};
    std::string list;
    {
      MutexLock lock(&mu_);
      std::uniform_int_distribution<size_t> any(0, arns_.size() - 1);
      for (int i = 0; i < kPage; ++i) {
        absl::StrAppend(&list, i == 0 ? "\"" : ",\"", arns_[any(random)], "\"");
      }
    }
    RETURN_IF_ERROR(
        client->Call("DescribeTasks", absl::StrCat(R"({"cluster":"bench","tasks":[)", list, "]}"))
            .status());
    return 1;
  };
}

Call Scenario::ListTasks() {
  // Page after page, and from the beginning again. Shared by the copies of the call: one thread.
  auto token = std::make_shared<std::string>();
  return [token](ApiClient* client) -> absl::StatusOr<int64_t> {
    std::string body = R"({"cluster":"bench")";
    if (!token->empty()) absl::StrAppend(&body, R"(,"nextToken":")", *token, "\"");
    ASSIGN_OR_RETURN(const std::string answer, client->Call("ListTasks", body + "}"));
    *token = StringMember(answer, "nextToken");
    return 1;
  };
}

Call Scenario::StopTask() {
  return [this](ApiClient* client) -> absl::StatusOr<int64_t> {
    std::string arn;
    {
      MutexLock lock(&mu_);
      if (arns_.empty()) return absl::InternalError("no task is left to stop");
      arn = std::move(arns_.back());
      arns_.pop_back();
    }
    RETURN_IF_ERROR(
        client->Call("StopTask", absl::StrCat(R"({"cluster":"bench","task":")", arn, "\"}"))
            .status());
    return 1;
  };
}

absl::Status Scenario::Measure(const std::string& measure, const LoadLimit& limit,
                               const Call& call) {
  const absl::Duration cpu = child_.CpuTime();
  ASSIGN_OR_RETURN(const LoadResult load, RunLoad(child_.api_port(), limit, call), measure);
  Row row = LoadRow(hosts_, measure, load);
  row.cpu_us = absl::ToDoubleMicroseconds(child_.CpuTime() - cpu) /
               static_cast<double>(std::max<int64_t>(load.items, 1));
  row.note = absl::StrFormat("%d in %.1f s", load.items, absl::ToDoubleSeconds(load.time));
  report_->Add(std::move(row));
  return absl::OkStatus();
}

absl::Status Scenario::Settle(const std::string& measure, Behaviour behaviour) {
  const absl::Time begin = absl::Now();
  int quiet = 0;  // observations in a row: a set may be on its way
  RETURN_IF_ERROR(Await("agents' reports", kLong, [&] {
    const SimulatedAgents::Counts counts = agents_->counts();
    const bool is_quiet = counts.unacked_reports == 0 && counts.unsent_states == 0;
    quiet = is_quiet ? quiet + 1 : 0;
    return quiet >= 50;
  }));
  if (behaviour == Behaviour::kSilent || measure.empty()) return absl::OkStatus();
  Row row = NewRow(measure + ", reports");
  row.value = absl::ToDoubleMilliseconds(absl::Now() - begin) - 100;  // the quiet observations
  row.unit = "ms";
  row.note = "from the last answer to the last acknowledged report";
  report_->Add(std::move(row));
  return absl::OkStatus();
}

absl::Status Scenario::Place(const std::string& measure, int count, Behaviour behaviour,
                             int64_t total) {
  agents_->SetBehaviour(behaviour);
  LoadLimit limit = Limit();
  if (total > 0) {
    limit.items = total;
    limit.time = kLong;
  }
  RETURN_IF_ERROR(Measure(measure, limit, RunTask(count, "small")));
  RETURN_IF_ERROR(Settle(measure, behaviour));
  if (behaviour == Behaviour::kFinish) {
    MutexLock lock(&mu_);
    arns_.clear();
  }
  return absl::OkStatus();
}

absl::Status Scenario::Read(bool is_placing) {
  agents_->SetBehaviour(is_placing ? Behaviour::kRun : Behaviour::kSilent);
  const std::string suffix = is_placing ? ", placing" : "";
  std::atomic<bool> is_over{false};
  absl::Status placing;
  std::thread placer;
  if (is_placing) {
    placer = std::thread([&] {
      LoadLimit limit = Limit();
      limit.time = kLong;
      limit.is_over = &is_over;
      placing = Measure("RunTask(10) beside reads", limit, RunTask(kBatch, "small"));
    });
  }
  LoadLimit one = Limit();
  one.threads = 1;
  absl::StatusOr<LoadResult> listed = LoadResult();
  std::thread lister([&] { listed = RunLoad(child_.api_port(), one, ListTasks()); });
  const absl::StatusOr<LoadResult> described = RunLoad(child_.api_port(), one, DescribeTasks());
  lister.join();
  is_over = true;
  if (placer.joinable()) placer.join();
  RETURN_IF_ERROR(placing);
  RETURN_IF_ERROR(described.status(), "DescribeTasks");
  RETURN_IF_ERROR(listed.status(), "ListTasks");
  report_->Add(LoadRow(hosts_, "DescribeTasks(100)" + suffix, *described));
  report_->Add(LoadRow(hosts_, "ListTasks" + suffix, *listed));
  return Settle("", Behaviour::kRun);
}

absl::Status Scenario::Stop(int64_t tasks) {
  agents_->SetBehaviour(Behaviour::kRun);
  LoadLimit limit = Limit();
  limit.items = tasks;
  RETURN_IF_ERROR(Measure("StopTask", limit, StopTask()));
  return Settle("StopTask", Behaviour::kRun);
}

absl::Status Scenario::Fill() {
  agents_->SetBehaviour(Behaviour::kSilent);
  // A share of the room is taken by the small tasks: ends when a call finds no room at all.
  std::atomic<int64_t> refused{0};
  std::atomic<bool> is_full{false};
  LoadLimit limit = Limit();
  limit.time = kLong;
  limit.is_over = &is_full;
  const Call place = RunTask(kBatch, "big", &refused);
  RETURN_IF_ERROR(Measure("RunTask(10) until full", limit, [&](ApiClient* client) {
    absl::StatusOr<int64_t> placed = place(client);
    if (placed.ok() && *placed == 0) is_full = true;
    return placed;
  }));
  limit = Limit();
  limit.time = std::min<absl::Duration>(limit.time, absl::Seconds(2));
  return Measure(
      "RunTask(10) without room", limit, [&](ApiClient* client) -> absl::StatusOr<int64_t> {
        ASSIGN_OR_RETURN(const int64_t placed, place(client));
        return placed == 0 ? 1
                           : absl::StatusOr<int64_t>(
                                 absl::InternalError("a task was placed on a full host"));
      });
}

absl::Status Scenario::Memory(const std::string& measure) {
  const double mib = child_.ResidentMib();
  const double thousands = static_cast<double>(placed_) / 1000;
  Row row = NewRow(measure);
  row.value = thousands > 0 ? (mib - empty_mib_) / thousands : 0;
  row.unit = "MiB/1000 tasks";
  row.note = absl::StrFormat("%.1f MiB resident, %d tasks; store %.1f MiB", mib, placed_.load(),
                             child_.StateMib());
  report_->Add(std::move(row));
  return absl::OkStatus();
}

absl::Status Scenario::Idle(absl::Duration time) {
  const absl::Duration cpu = child_.CpuTime();
  const absl::Time begin = absl::Now();
  RETURN_IF_ERROR(Await("time to pass", time * 2, [&] { return absl::Now() - begin >= time; }));
  Row row = NewRow("idle");
  row.value = 100 * absl::FDivDuration(child_.CpuTime() - cpu, absl::Now() - begin);
  row.unit = "% of a core";
  row.note = absl::StrFormat("heartbeats only, %.0f s, %d tasks", absl::ToDoubleSeconds(time),
                             agents_->counts().tasks);
  report_->Add(std::move(row));
  return absl::OkStatus();
}

absl::Status Scenario::Restart() {
  agents_->SetBehaviour(Behaviour::kRun);
  const int64_t tasks = agents_->counts().tasks;
  child_.Stop(SIGKILL);
  RETURN_IF_ERROR(
      Await("sessions to end", kLong, [this] { return agents_->counts().welcomed == 0; }));
  const absl::Time begin = absl::Now();
  RETURN_IF_ERROR(child_.Start());
  const absl::Duration started = absl::Now() - begin;
  const auto add = [&](const std::string& measure, absl::Duration time) {
    Row row = NewRow(measure);
    row.value = absl::ToDoubleSeconds(time);
    row.unit = "s";
    row.note = absl::StrFormat("%d tasks; %.1f MiB", tasks, child_.ResidentMib());
    report_->Add(std::move(row));
  };
  add("kill -9 to listening", started);
  RETURN_IF_ERROR(Await("all agents and their tasks", kLong, [&] {
    const SimulatedAgents::Counts counts = agents_->counts();
    return counts.complete == hosts_ && counts.complete_tasks >= tasks;
  }));
  add("kill -9 to all have their tasks", absl::Now() - begin);
  RETURN_IF_ERROR(Settle("", Behaviour::kRun));
  add("kill -9 to all reported again", absl::Now() - begin - absl::Milliseconds(100));
  const SimulatedAgents::Counts counts = agents_->counts();
  if (counts.tasks != tasks || counts.resyncs != 0) {
    return absl::InternalError(absl::StrCat("agents have ", counts.tasks, " tasks of ", tasks,
                                            ", and have seen ", counts.resyncs, " gaps"));
  }
  return absl::OkStatus();
}

}  // namespace davit::bench
