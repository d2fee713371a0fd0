#include "agent/supervisor/supervisor.h"

#include <algorithm>
#include <utility>

#include "agent/supervisor/inheritance.h"
#include "agent/task/new_task.h"
#include "agent/task/task_record.h"
#include "base/ids.h"
#include "base/log.h"

namespace davit::supervisor {
namespace {

constexpr absl::Duration kLookRetry = absl::Seconds(2);
constexpr absl::Duration kCleanupRetry = absl::Minutes(1);
// The sequence numbers of a restarted agent start above all numbers that its predecessor may have
// used since its last save.
constexpr uint64_t kSequenceGap = 1ULL << 20;

}  // namespace

Supervisor::Supervisor(Options options, const Deps& deps)
    : options_(std::move(options)),
      deps_(deps),
      serial_(deps.pools.control),
      ledger_(options_.capacity),
      lookout_({&serial_,
                deps.pools.inspection,
                deps.timers,
                deps.post_mortems,
                {deps.runtime, deps.cgroups, deps.network, deps.files}}),
      orphans_(options_.agent_ids, options_.orphan_grace) {}

void Supervisor::Connect(Effects* effects, ReportSink* sink) {
  effects_ = effects;
  sink_ = sink;
}

void Supervisor::Start(const std::vector<v1::TaskRecord>& records) {
  serial_.Post([this, records] {
    for (const v1::TaskRecord& record : records) Adopt(record);
    LogInfo("tasks loaded", {{"tasks", tasks_.size()}, {"stopped", finished_.size()}});
    deps_.calls->Observe(
        [this](const StuckCall& call, bool is_stuck) { OnStuckCall(call, is_stuck); });
    // Its first event says whether the host can be looked at.
    deps_.runtime->Watch([this](const runtime::RuntimeEvent& event) { OnRuntimeEvent(event); });
    ScheduleLook(/*is_soon=*/true);
  });
}

std::shared_ptr<Task> Supervisor::Add(const v1::Assignment& assignment, task::TaskSnapshot snapshot,
                                      uint64_t stored_sequence) {
  const Task::Deps deps{deps_.pools.control, deps_.clock,
                        deps_.store,         effects_,
                        options_.boot_id,    options_.ec2_instance_id};
  const std::string id = snapshot.task_id;
  // Above all numbers that an earlier agent may have used, even one whose store is lost.
  const uint64_t base = std::max(stored_sequence + kSequenceGap,
                                 static_cast<uint64_t>(absl::ToUnixMillis(deps_.clock->Now())));
  auto task = std::make_shared<Task>(deps, assignment, std::move(snapshot), base);
  tasks_[id] = task;
  return task;
}

std::shared_ptr<Task> Supervisor::Find(const std::string& task_id) const {
  const auto found = tasks_.find(task_id);
  return found == tasks_.end() ? nullptr : found->second;
}

std::shared_ptr<Task> Supervisor::FindByContainer(const std::string& container_id) const {
  std::string task_id;
  std::string name;
  return task::SplitContainerId(container_id, &task_id, &name) ? Find(task_id) : nullptr;
}

void Supervisor::Adopt(const v1::TaskRecord& record) {
  absl::StatusOr<task::TaskSnapshot> snapshot = task::FromRecord(record, options_.stop_timeout);
  if (!snapshot.ok()) {
    LogError("ignoring invalid task record",
             {{"task_arn", record.assignment().task_arn()}, {"status", snapshot.status()}});
    return;
  }
  const std::string id = snapshot->task_id;
  const bool is_finished = snapshot->finished;
  const bool same_boot = record.boot_id() == options_.boot_id;
  if (!same_boot && !is_finished) lookout_.NoteRebootSince(id);
  const auto task = Add(record.assignment(), *std::move(snapshot), record.sequence());
  if (!is_finished) return task->Begin(/*restarted=*/true);
  finished_.insert(id);
  if (record.terminal_acked()) acked_.insert(id);
  // Not longer than configured, even if the clock was set back.
  const absl::Duration age = deps_.clock->Now() - FromEpochSeconds(record.stopped_at());
  ScheduleCleanup(
      id, std::clamp(options_.cleanup_after - age, absl::ZeroDuration(), options_.cleanup_after));
}

void Supervisor::Assign(const v1::Assignment& assignment) {
  serial_.Post([this, assignment] {
    const std::string id = ShortId(assignment.task_arn());
    std::shared_ptr<Task> task = Find(id);
    if (task == nullptr) {
      // Only an inventory shows whether an agent that lost its records has started the task.
      if (!has_looked_) {
        too_early_.push_back(assignment);
        return;
      }
      absl::StatusOr<task::TaskSnapshot> snapshot =
          task::NewTask(assignment, options_.stop_timeout);
      if (!snapshot.ok()) return Refuse(assignment, snapshot.status());
      const HostTask* begun = orphans_.Find(id);
      const bool is_on_host = begun != nullptr;
      if (is_on_host) Inherit(*begun, &*snapshot);
      const bool is_inherited = InheritFromController(assignment, &*snapshot) || is_on_host;
      orphans_.Forget(id);
      task = Add(assignment, *std::move(snapshot), 0);
      LogInfo("task assigned", {{"task_arn", assignment.task_arn()}, {"is_on_host", is_on_host}});
      if (is_inherited || assignment.desired_status() != v1::TaskStatus::STOPPED)
        task->Begin(/*restarted=*/is_inherited);
    }
    if (assignment.desired_status() == v1::TaskStatus::STOPPED) {
      task->Handle(
          task::GoalChanged{task::Goal::kStop, assignment.stop_reason(), assignment.stop_code()});
    }
  });
}

// The assignment is invalid, so there is nothing to run or store.
void Supervisor::Refuse(const v1::Assignment& assignment, const absl::Status& why) {
  LogError("assignment refused", {{"task_arn", assignment.task_arn()}, {"status", why}});
  if (assignment.task_arn().empty()) return;
  v1::TaskState state;
  state.set_task_arn(assignment.task_arn());
  state.set_sequence(1);
  state.set_last_status(v1::TaskStatus::STOPPED);
  state.set_stop_code(v1::StopCode::TaskFailedToStart);
  state.set_stopped_reason(std::string(why.message()));
  state.set_stopped_at(ToEpochSeconds(deps_.clock->Now()));
  sink_->Report(std::move(state));
}

void Supervisor::Stop(const std::vector<std::string>& task_arns, const std::string& reason) {
  serial_.Post([this, task_arns, reason] {
    for (const std::string& arn : task_arns) {
      const std::string id = ShortId(arn);
      if (const std::shared_ptr<Task> task = Find(id)) {
        task->Handle(
            task::GoalChanged{task::Goal::kStop, reason, v1::StopCode::ServiceSchedulerInitiated});
      } else if (orphans_.Find(id) != nullptr) {
        RemoveOrphan(id, reason);
      }
    }
  });
}

void Supervisor::NoteAcked(const std::string& task_arn) {
  serial_.Post([this, id = ShortId(task_arn)] {
    const std::shared_ptr<Task> task = Find(id);
    if (task == nullptr || finished_.count(id) == 0) return;
    acked_.insert(id);
    task->NoteTerminalAcked();
  });
}

void Supervisor::ListUnfinished(absl::AnyInvocable<void(std::set<std::string>)> done) {
  serial_.Post([this, done = std::move(done)]() mutable {
    // Orphans are only known after the first inventory.
    if (!has_looked_) return too_early_lists_.push_back(std::move(done));
    std::set<std::string> arns = orphans_.Running();
    for (const auto& [id, task] : tasks_) {
      if (finished_.count(id) == 0) arns.insert(task->arn());
    }
    done(std::move(arns));
  });
}

void Supervisor::ReportAll() {
  serial_.Post([this] {
    for (const auto& [id, task] : tasks_) {
      if (acked_.count(id) > 0) continue;
      task->Inspect([this, task = task](const task::TaskSnapshot& snapshot) {
        // A terminal status is reported only once it is durable.
        if (snapshot.finished != (snapshot.last_status == v1::TaskStatus::STOPPED)) return;
        sink_->Report(task->NextState(snapshot));
      });
    }
  });
}

void Supervisor::Ping(Work pong) { serial_.Post(std::move(pong)); }

void Supervisor::Admit(const std::shared_ptr<Task>& task, bool is_on_host) {
  serial_.Post([this, task, is_on_host] {
    const task::ResourceNeeds needs = task::NeedsOf(task->assignment());
    if (is_on_host) ledger_.Adopt(task->id(), needs);
    const task::AdmissionLedger::Answer answer = ledger_.Request(task->id(), needs);
    task::Outcome outcome;
    if (answer.verdict == task::AdmissionLedger::Verdict::kWaits)
      outcome = {task::Outcome::Kind::kRetry, answer.reason};
    if (answer.verdict == task::AdmissionLedger::Verdict::kNever)
      outcome = {task::Outcome::Kind::kFailed, answer.reason};
    task->Handle(task::Admitted{std::move(outcome)});
  });
}

void Supervisor::Release(const std::string& task_id) {
  serial_.Post([this, task_id] {
    for (const std::string& admitted : ledger_.Release(task_id)) {
      if (const std::shared_ptr<Task> task = Find(admitted)) task->Handle(task::Admitted{});
    }
    finished_.insert(task_id);
    ScheduleCleanup(task_id, options_.cleanup_after);
  });
}

void Supervisor::Report(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot) {
  sink_->Report(task->NextState(snapshot));
}

void Supervisor::OnRuntimeEvent(const runtime::RuntimeEvent& event) {
  switch (event.kind) {
    case runtime::RuntimeEvent::Kind::kExited:
      return OnExit(event);
    case runtime::RuntimeEvent::Kind::kOutOfMemory:
      return;  // the cgroup has it when the container ends
    case runtime::RuntimeEvent::Kind::kRemoved:
      return serial_.Post([this, id = event.container_id] {
        if (const auto task = FindByContainer(id))
          task->Handle(task::ContainerRemoved{task->ContainerName(id)});
      });
    case runtime::RuntimeEvent::Kind::kConnected:
      return OnRuntimeConnected();
    case runtime::RuntimeEvent::Kind::kDisconnected:
      if (runtime_available_.exchange(false)) sink_->HealthChanged();
      LogWarning("runtime unreachable, the state of containers is unknown");
      return;
  }
}

void Supervisor::OnRuntimeConnected() {
  if (!runtime_available_.exchange(true)) {
    LogInfo("runtime connected");
    sink_->HealthChanged();
  }
  serial_.Post([this] { LookAtHost(); });
}

void Supervisor::OnStuckCall(const StuckCall& call, bool is_stuck) {
  sink_->HealthChanged();
  serial_.Post([this, call, is_stuck] {
    const std::shared_ptr<Task> task = Find(call.lane);
    const std::string whose = task == nullptr ? call.lane : task->arn();
    if (is_stuck) {
      LogWarning(
          "a call hangs; what else it holds up is its own task only",
          {{"task_arn", whose}, {"call", call.what}, {"since", absl::FormatTime(call.since)}});
    } else {
      LogInfo("a call that hung goes on", {{"task_arn", whose}, {"call", call.what}});
    }
    if (task == nullptr) return;
    if (is_stuck) return task->Handle(task::CallStuck{call.what});
    task->Handle(task::CallGoesOn{call.what});
  });
}

void Supervisor::OnExit(const runtime::RuntimeEvent& event) {
  serial_.Post([this, event] {
    const std::shared_ptr<Task> task = FindByContainer(event.container_id);
    if (task == nullptr) return;
    // Reading the cgroup blocks, and must happen before the task can remove it.
    deps_.pools.inspection->Post({task->id(), "examining a container that has ended"}, [this, event,
                                                                                        task] {
      const std::string name = task->ContainerName(event.container_id);
      if (name.empty())
        return;  // the pause container: the containers that it ends have exit events of their own
      task::PostMortem facts = deps_.post_mortems->Examine(*task, name);
      const bool out_of_memory = event.exit_code != 0 && facts.oom_kills > 0;
      task->Handle(
          task::Exited{name, event.exit_code, out_of_memory, event.exited_at, std::move(facts)});
    });
  });
}

void Supervisor::Observe(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot) {
  lookout_.Ask(task, snapshot);
}

// The latest call counts.
void Supervisor::ScheduleLook(bool is_soon) {
  const absl::Duration delay = is_soon ? kLookRetry : options_.reconcile_interval;
  deps_.timers->After(delay, &serial_, [this, timer = ++look_timer_] {
    if (timer == look_timer_ && !is_looking_) LookAtHost();  // else its end arms the next one
  });
}

void Supervisor::LookAtHost() {
  must_look_again_ = is_looking_;
  if (std::exchange(is_looking_, true)) return;
  std::vector<std::shared_ptr<Task>> unfinished;
  for (const auto& [id, task] : tasks_) {
    if (finished_.count(id) == 0) unfinished.push_back(task);
  }
  lookout_.LookAtHost(unfinished, [this](const absl::StatusOr<HostInventory>& inventory) {
    is_looking_ = false;
    if (inventory.ok()) {
      NoteInventory(*inventory);
    } else {
      LogWarning("cannot inspect the host", {{"status", inventory.status()}});
    }
    if (must_look_again_) return LookAtHost();
    ScheduleLook(/*is_soon=*/!inventory.ok());
  });
}

void Supervisor::NoteInventory(const HostInventory& inventory) {
  std::set<std::string> known;
  for (const auto& [id, task] : tasks_) known.insert(id);
  const size_t before = orphans_.size();
  const std::set<std::string> ran_before = orphans_.Running();
  const absl::Duration now = deps_.clock->Monotonic();
  const std::vector<std::string> to_remove = orphans_.Update(inventory, known, now);
  if (orphans_.size() > before) {
    LogWarning("the host has tasks without records; running ones stay until the controller decides",
               {{"tasks", orphans_.size()}, {"running", orphans_.Running().size()}});
  }
  for (const std::string& id : to_remove)
    RemoveOrphan(id, "removed: unknown to the agent's store and to the controller");
  for (const std::string& id : orphans_.UpdateLogs(inventory, known, now, options_.cleanup_after))
    RemoveLogs(id);
  const bool had_looked = std::exchange(has_looked_, true);
  for (const v1::Assignment& assignment : std::exchange(too_early_, {})) Assign(assignment);
  for (auto& done : std::exchange(too_early_lists_, {})) ListUnfinished(std::move(done));
  // The lists above included the orphans of the first inventory.
  const std::set<std::string> run = orphans_.Running();
  const bool is_news =
      had_looked && !std::includes(ran_before.begin(), ran_before.end(), run.begin(), run.end());
  if (is_news) sink_->OrphansFound();
  MutexLock lock(&mu_);
  owned_ = Owned{inventory, orphans_.size()};
}

void Supervisor::RemoveOrphan(const std::string& task_id, const std::string& reason) {
  const HostTask orphan = *orphans_.Find(task_id);
  orphans_.Forget(task_id);
  LogWarning("removing orphan",
             {{"task_id", task_id}, {"task_arn", orphan.arn}, {"reason", reason}});
  const v1::Assignment assignment = AssignmentFromLabels(orphan);
  absl::StatusOr<task::TaskSnapshot> snapshot = task::NewTask(assignment, options_.stop_timeout);
  if (snapshot.ok()) {  // adopt it as a task: with a grace period, exit codes and a report
    Inherit(orphan, &*snapshot);
    const std::shared_ptr<Task> task = Add(assignment, *std::move(snapshot), 0);
    task->Begin(/*restarted=*/true);
    task->Handle(
        task::GoalChanged{task::Goal::kStop, reason, v1::StopCode::ServiceSchedulerInitiated});
    return;
  }
  deps_.pools.runtime->Post(
      {task_id, "removing an unknown task"}, [this, task_id, containers = orphan.containers] {
        const absl::Status removed = effects_->RemoveFromHost(task_id, containers);
        if (!removed.ok())
          LogWarning("cannot remove orphan, kept until the next inventory",
                     {{"task_id", task_id}, {"status", removed}});
      });
}

Supervisor::Owned Supervisor::owned() const {
  MutexLock lock(&mu_);
  return owned_;
}

void Supervisor::ScheduleCleanup(const std::string& task_id, absl::Duration delay) {
  deps_.timers->After(delay, &serial_, [this, task_id] { CleanUp(task_id); });
}

// Removes record and logs when their time is over and the controller knows how the task ended.
void Supervisor::CleanUp(const std::string& task_id) {
  if (acked_.count(task_id) == 0) return ScheduleCleanup(task_id, kCleanupRetry);
  Find(task_id)->RemoveRecord();
  tasks_.erase(task_id);
  finished_.erase(task_id);
  acked_.erase(task_id);
  RemoveLogs(task_id);
}

void Supervisor::RemoveLogs(const std::string& task_id) {
  deps_.pools.runtime->Post({task_id, "removing the task's logs"}, [this, task_id] {
    if (const absl::Status removed = deps_.files->RemoveLogs(task_id); !removed.ok()) {
      LogWarning("cannot remove logs of a stopped task, kept until the next inventory",
                 {{"task_id", task_id}, {"status", removed}});
    }
  });
}

absl::StatusOr<std::vector<TaskView>> Supervisor::View(absl::Duration timeout) {
  const auto gathering = std::make_shared<ViewGathering>();
  serial_.Post([this, gathering] {
    std::vector<std::shared_ptr<Task>> tasks;
    for (const auto& [id, task] : tasks_) tasks.push_back(task);
    gathering->Begin(tasks);
  });
  return gathering->Wait(timeout);
}

}  // namespace davit::supervisor
