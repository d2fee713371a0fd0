#include "tests/sim/simulation.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/ids.h"
#include "controller/task/reads.h"
#include "tests/sim/workload.h"

namespace davit::sim {
namespace {

using controller::model::Answer;

constexpr size_t kMaxHosts = 3;
constexpr double kMaxFaultRate = 0.1;  // per step
constexpr absl::Duration kPatience =
    absl::Minutes(30);  // how long the world may take to settle once nothing fails
constexpr uint64_t kMaxSteps = 2'000'000;
// Long enough for containers to live again, and for what waits for minutes.
constexpr double kQuietRate = 0.001;  // per step with faults
constexpr absl::Duration kLongestQuiet = absl::Minutes(3);
constexpr absl::Duration kLongRest = absl::Minutes(10);

// Files are real; on a file system in memory their cost is small.
std::string MakeStateDir() {
  for (std::string name : {"/dev/shm/davit-sim-XXXXXX", "/tmp/davit-sim-XXXXXX"}) {
    if (mkdtemp(name.data()) != nullptr) return name;
  }
  std::abort();
}

}  // namespace

Simulation::Simulation(Options options)
    : options_(std::move(options)),
      random_(options_.seed),
      world_(&clock_, {1}),
      network_(&clock_, kMaxHosts, random_.Fork()),
      witness_(&clock_),
      state_dir_(MakeStateDir()),
      control_plane_(&clock_, &network_, &witness_, random_.Fork(), options_.bug) {
  const size_t hosts = 1 + random_.Below(kMaxHosts);
  for (size_t i = 0; i < hosts; ++i) {
    hosts_.push_back(std::make_unique<Host>(
        i,
        Host::Deps{&clock_, &network_, &witness_, absl::StrCat(state_dir_, "/", i), options_.bug},
        random_.Fork()));
  }
  fault_rate_ = kMaxFaultRate * random_.Uniform() * random_.Uniform();
}

Simulation::~Simulation() {
  hosts_.clear();
  control_plane_.Crash();
  static_cast<void>(RemoveAll(state_dir_));
}

Result Simulation::Run() {
  const absl::Duration start = clock_.Monotonic();
  StartController();
  for (const auto& host : hosts_) host->StartAgent();
  for (int i = 0; i < options_.fault_steps && result_.failure.empty(); ++i) {
    Disturb();
    Step();
    if (random_.Chance(kQuietRate)) LetPass(random_.Within(kLongestQuiet));
  }
  Heal();
  if (random_.Chance(0.1)) LetPass(kLongRest);
  RunUntil("what is wanted", [this] { return WhatHasNotSettled(); });
  if (result_.failure.empty()) StopAll();
  RunUntil("an empty cluster", [this] { return WhatIsLeft(); });
  result_.time = clock_.Monotonic() - start;
  result_.tasks = static_cast<int>(witness_.rows().size());
  return result_;
}

void Simulation::Step() {
  ++result_.steps;
  // A slow machine: time passes although there is work to do.
  if (random_.Chance(0.01) || !RunSomethingReady()) PassTime();
  if (random_.Chance(0.02)) ReadTask();
  if (!witness_.violation().empty()) Fail(witness_.violation());
}

void Simulation::ReadTask() {
  if (control_plane_.process() == nullptr || witness_.rows().empty()) return;
  const auto row = std::next(witness_.rows().begin(),
                             static_cast<std::ptrdiff_t>(random_.Below(witness_.rows().size())));
  v1::DescribeTasksRequest request;
  request.add_tasks(row->first);
  const auto answer = controller::task::Read(request, control_plane_.view());
  // Of a cluster that nobody has heard of yet, nothing is described.
  witness_.OnDescribed(row->first, answer.ok() ? *answer : v1::DescribeTasksResponse());
}

bool Simulation::RunSomethingReady() {
  struct Choice {
    Pool* pool = nullptr;  // null: `sync`, or else the network
    Host* host = nullptr;  // whose agent's
    bool is_sync = false;
    bool is_controllers = false;
  };
  const absl::Duration now = clock_.Monotonic();
  std::vector<Choice> choices;
  const auto add = [&](Process* process, Host* host, bool is_controllers) {
    if (process == nullptr || process->is_paused(now)) return;
    for (Pool& pool : process->pools) {
      if (pool.is_ready(now)) choices.push_back({&pool, host, false, is_controllers});
    }
  };
  for (const auto& host : hosts_) {
    add(host->agent_process(), host.get(), false);
    add(host->world(), nullptr, false);
    if (host->can_sync()) choices.push_back({nullptr, host.get(), true, false});
  }
  add(control_plane_.process(), nullptr, true);
  add(&world_, nullptr, false);
  if (network_.is_due()) choices.push_back({});
  if (choices.empty()) return false;
  const Choice choice = choices[random_.Below(choices.size())];
  try {
    if (choice.pool != nullptr) {
      choice.pool->RunOne(&random_);
    } else if (choice.is_sync) {
      choice.host->Sync();
    } else {
      network_.DeliverOne(&random_);
    }
  } catch (const Killed&) {
    Say(choice.is_controllers ? "controller dies in a commit" : "agent dies in a call");
    const absl::Duration absence = random_.Within(kLongestAbsence);
    if (choice.is_controllers) {
      control_plane_.Crash();
      Later(absence, [this] { StartController(); });
    } else {
      choice.host->CrashAgent();
      Later(absence, [host = choice.host] { host->StartAgent(); });
    }
  }
  return true;
}

void Simulation::PassTime() {
  std::vector<Process*> processes = {&world_};
  if (control_plane_.process() != nullptr) processes.push_back(control_plane_.process());
  const absl::Duration now = clock_.Monotonic();
  absl::Duration due = network_.NextDue();
  for (const auto& host : hosts_) {
    processes.push_back(host->world());
    if (host->agent_process() != nullptr) processes.push_back(host->agent_process());
    if (host->disk_held_until() > now) due = std::min(due, host->disk_held_until());
  }
  for (const Process* process : processes) {
    due = std::min({due, process->NextTimer(), process->NextStallEnd(now)});
  }
  if (due == absl::InfiniteDuration()) return;
  if (due > now) clock_.Advance(due - now);
  for (Process* process : processes) {
    if (process->is_paused(clock_.Monotonic())) continue;
    while (process->timers.FireNext(absl::ZeroDuration())) {
    }
  }
}

// No new requests and no new faults for some time.
void Simulation::LetPass(absl::Duration time) {
  const absl::Duration end = clock_.Monotonic() + time;
  Later(time, [] {});  // for the case that no program runs, and nothing else would ever happen
  while (clock_.Monotonic() < end && result_.failure.empty()) Step();
}

void Simulation::RunUntil(const std::string& goal,
                          const std::function<std::string()>& what_is_missing) {
  const absl::Duration end = clock_.Monotonic() + kPatience;
  // Not before messages in flight have arrived and every agent has dialled again.
  absl::Duration next_look = clock_.Monotonic() + absl::Seconds(20);
  std::string missing = "everything";
  while (result_.failure.empty() && !missing.empty()) {
    Step();
    if (clock_.Monotonic() < next_look) continue;
    next_look = clock_.Monotonic() + absl::Seconds(5);
    missing = what_is_missing();
    const bool is_late = clock_.Monotonic() > end || result_.steps > kMaxSteps;
    if (!missing.empty() && is_late) Fail(absl::StrCat("no way to ", goal, ": ", missing));
  }
}

void Simulation::Later(absl::Duration delay, Work work) {
  world_.timers.After(delay, &world_.pools[0], std::move(work));
}

void Simulation::StartController() {
  if (!control_plane_.Start()) Later(absl::Seconds(1), [this] { StartController(); });
}

void Simulation::RegisterDefinitions() {
  if (control_plane_.process() == nullptr) return;
  const std::vector<v1::RegisterTaskDefinitionRequest> definitions = Definitions();
  if (definitions_known_ >= definitions.size()) return;
  const size_t index = definitions_known_;
  control_plane_.Submit(
      "RegisterTaskDefinition",
      std::make_shared<const v1::RegisterTaskDefinitionRequest>(definitions[index]),
      [this, index](const absl::StatusOr<Answer>& answer) {
        if (answer.ok()) {
          definitions_known_ = index + 1;
        } else if (answer.status().code() != absl::StatusCode::kUnavailable) {
          Fail(answer.status().ToString());
        }
      });
}

void Simulation::MakeWork() {
  RegisterDefinitions();
  if (control_plane_.process() == nullptr || definitions_known_ == 0) return;
  std::vector<std::string> running;
  for (const auto& [id, row] : witness_.rows()) {
    if (row.desired_status() == v1::TaskStatus::RUNNING) running.push_back(id);
  }
  if (!running.empty() && random_.Chance(0.4))
    return StopTask(running[random_.Below(running.size())]);
  RunTask();
}

void Simulation::RunTask() {
  v1::RunTaskRequest request;
  const size_t index = random_.Below(definitions_known_);
  request.set_task_definition(Definitions()[index].family());
  request.set_count(static_cast<int>(1 + random_.Below(2)));
  request.set_client_token(absl::StrCat("request-", ++requests_));
  Say(absl::StrCat("run ", request.count(), " of ", request.task_definition()));
  const auto ignore = [](const absl::StatusOr<Answer>&) {};
  const auto shared = std::make_shared<const v1::RunTaskRequest>(request);
  control_plane_.Submit("RunTask", shared, ignore);
  // A client that had no answer in time asks again.
  if (random_.Chance(0.1)) control_plane_.Submit("RunTask", shared, ignore);
}

void Simulation::StopTask(const std::string& arn) {
  v1::StopTaskRequest request;
  request.set_task(arn);
  request.set_reason("enough");
  Say(absl::StrCat("stop ", ShortId(arn)));
  control_plane_.Submit("StopTask", std::make_shared<const v1::StopTaskRequest>(request),
                        [](const absl::StatusOr<Answer>&) {});
}

void Simulation::Fail(const std::string& what) {
  if (!result_.failure.empty()) return;
  result_.failure = absl::StrCat("step ", result_.steps, ": ", what);
  Say(result_.failure);
}

void Simulation::Say(const std::string& what) {
  if (!options_.trace) return;
  options_.trace(absl::StrCat("#", result_.steps, " +",
                              absl::FormatDuration(clock_.Monotonic() - absl::Hours(1)), " ",
                              what));
}

}  // namespace davit::sim
