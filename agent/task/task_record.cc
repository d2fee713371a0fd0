#include "agent/task/task_record.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/task/container_id.h"
#include "agent/task/new_task.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/utf8.h"

namespace davit::task {
namespace {

constexpr size_t kReasonLimit = 1024;  // ECS's limit for task and container reasons

// Converts optional fields in both directions, because a proto `optional` is not a std::optional.
template <typename Setter>
void SetTime(const std::optional<absl::Time>& time, Setter setter) {
  if (time) setter(ToEpochSeconds(*time));
}
std::optional<absl::Time> GetTime(bool has, double seconds) {
  return has ? std::optional<absl::Time>(FromEpochSeconds(seconds)) : std::nullopt;
}

void AddBinding(const NetworkBinding& binding, v1::NetworkBinding* out) {
  out->set_bind_ip(binding.bind_ip);
  out->set_container_port(binding.container_port);
  out->set_host_port(binding.host_port);
  out->set_protocol(binding.protocol);
}

// TaskRecord and TaskState have the same members for times.
template <typename Message>
void SetTimes(const TaskSnapshot& task, Message* out) {
  SetTime(task.pull_started_at, [out](double t) { out->set_pull_started_at(t); });
  SetTime(task.pull_stopped_at, [out](double t) { out->set_pull_stopped_at(t); });
  SetTime(task.started_at, [out](double t) { out->set_started_at(t); });
  SetTime(task.stopping_at, [out](double t) { out->set_stopping_at(t); });
  SetTime(task.execution_stopped_at, [out](double t) { out->set_execution_stopped_at(t); });
  SetTime(task.stopped_at, [out](double t) { out->set_stopped_at(t); });
}

v1::ProbeRecord ToRecord(ProbeKind kind, const Probe& probe) {
  v1::ProbeRecord record;
  record.set_kind(static_cast<int>(kind));
  record.set_health(static_cast<int>(probe.health));
  record.set_failures(probe.failures);
  for (const CheckResult& result : probe.results) {
    v1::CheckRecord* one = record.add_results();
    one->set_at(ToEpochSeconds(result.at));
    if (result.exit_code) one->set_exit_code(*result.exit_code);
    one->set_output(result.output);
  }
  return record;
}

// Skips a probe that the definition does not have.
absl::Status Restore(const v1::ProbeRecord& record, ContainerSnapshot* container) {
  if (record.health() < 0 || record.health() > static_cast<int>(Health::kUnhealthy)) {
    return absl::InvalidArgumentError(absl::StrCat("container ", container->name, ": health ",
                                                   record.health(), " of probe ", record.kind(),
                                                   " is unknown"));
  }
  const auto found = container->probes.find(static_cast<ProbeKind>(record.kind()));
  if (found == container->probes.end()) return absl::OkStatus();
  Probe& probe = found->second;
  probe.health = static_cast<Health>(record.health());
  probe.failures = record.failures();
  for (const v1::CheckRecord& one : record.results()) {
    probe.results.push_back(
        {one.has_exit_code() ? std::optional<int>(one.exit_code()) : std::nullopt, one.output(),
         FromEpochSeconds(one.at())});
  }
  return absl::OkStatus();
}

v1::PostMortemRecord ToRecord(const PostMortem& facts) {
  v1::PostMortemRecord record;
  record.set_memory_limit_bytes(facts.memory_limit_bytes);
  record.set_memory_peak_bytes(facts.memory_peak_bytes);
  record.set_is_memory_of_task(facts.is_memory_of_task);
  record.set_oom_kills(facts.oom_kills);
  record.set_killed_process(ToUtf8(facts.killed_process));
  record.set_cpu_nanoseconds(absl::ToInt64Nanoseconds(facts.cpu_time));
  for (const std::string& line : facts.last_lines) record.add_last_lines(ToUtf8(line));
  record.set_log_trouble(ToUtf8(facts.log_trouble));
  return record;
}

PostMortem FromRecord(const v1::PostMortemRecord& record) {
  PostMortem facts;
  facts.memory_limit_bytes = record.memory_limit_bytes();
  facts.memory_peak_bytes = record.memory_peak_bytes();
  facts.is_memory_of_task = record.is_memory_of_task();
  facts.oom_kills = record.oom_kills();
  facts.killed_process = record.killed_process();
  facts.cpu_time = absl::Nanoseconds(record.cpu_nanoseconds());
  facts.last_lines.assign(record.last_lines().begin(), record.last_lines().end());
  facts.log_trouble = record.log_trouble();
  return facts;
}

v1::ContainerRecord ToRecord(const ContainerSnapshot& container) {
  v1::ContainerRecord record;
  record.set_name(container.name);
  record.set_phase(static_cast<int>(container.phase));
  record.set_work(static_cast<int>(container.work));
  record.set_attempt(container.attempt);
  record.set_image_digest(container.image_digest);
  if (container.exit_code) record.set_exit_code(*container.exit_code);
  record.set_reason(Shorten(container.reason, kReasonLimit));
  record.set_pid(container.pid);
  record.set_stop_signal(container.stop_signal);
  record.set_restart_count(container.restart_count);
  record.set_start_timed_out(container.start_timed_out);
  record.set_was_healthy(container.was_healthy);
  for (const auto& [kind, probe] : container.probes) *record.add_probes() = ToRecord(kind, probe);
  for (const NetworkBinding& binding : container.network_bindings)
    AddBinding(binding, record.add_network_bindings());
  if (container.post_mortem) *record.mutable_post_mortem() = ToRecord(*container.post_mortem);
  if (container.started_uptime) {
    record.set_started_uptime(absl::ToDoubleSeconds(*container.started_uptime));
  }
  SetTime(container.started_at, [&record](double t) { record.set_started_at(t); });
  SetTime(container.finished_at, [&record](double t) { record.set_finished_at(t); });
  return record;
}

absl::Status Restore(const v1::ContainerRecord& record, ContainerSnapshot* container) {
  if (record.phase() < 0 || record.phase() > static_cast<int>(Phase::kStopped) ||
      record.work() < 0 || record.work() > static_cast<int>(Work::kDeprovision)) {
    return absl::InvalidArgumentError(absl::StrCat("container ", record.name(), ": phase ",
                                                   record.phase(), " or work ", record.work(),
                                                   " is unknown"));
  }
  container->phase = static_cast<Phase>(record.phase());
  container->work = static_cast<Work>(record.work());
  container->attempt = record.attempt();
  container->image_digest = record.image_digest();
  if (record.has_exit_code()) container->exit_code = record.exit_code();
  container->reason = record.reason();
  container->pid = record.pid();
  container->restart_count = record.restart_count();
  container->start_timed_out = record.start_timed_out();
  container->was_healthy = record.was_healthy();
  if (record.probes().empty()) {  // from an agent that only supported ECS's healthCheck
    v1::ProbeRecord liveness;
    liveness.set_kind(static_cast<int>(ProbeKind::kLiveness));
    liveness.set_health(record.health());
    container->was_healthy = record.health() == static_cast<int>(Health::kHealthy);
    liveness.set_failures(record.health_failures());
    RETURN_IF_ERROR(Restore(liveness, container));
  }
  for (const v1::ProbeRecord& probe : record.probes()) RETURN_IF_ERROR(Restore(probe, container));
  if (record.stop_signal() > 0) container->stop_signal = record.stop_signal();
  for (const v1::NetworkBinding& binding : record.network_bindings()) {
    container->network_bindings.push_back(
        {binding.bind_ip(), binding.container_port(), binding.host_port(), binding.protocol()});
  }
  if (record.has_post_mortem()) container->post_mortem = FromRecord(record.post_mortem());
  if (record.has_started_uptime()) {
    container->started_uptime = absl::Seconds(record.started_uptime());
  }
  container->started_at = GetTime(record.has_started_at(), record.started_at());
  container->finished_at = GetTime(record.has_finished_at(), record.finished_at());
  return absl::OkStatus();
}

// A container that was never started has no output. That output is missing is told whatever the
// container ended with: nobody looks for what he does not know of.
std::string ReasonForUsers(const ContainerSnapshot& container) {
  std::string reason = container.reason;
  if (container.post_mortem && !container.post_mortem->log_trouble.empty()) {
    absl::StrAppend(&reason, reason.empty() ? "" : "; ",
                    "log incomplete: ", container.post_mortem->log_trouble);
  }
  const bool has_words = !container.reason.empty() && container.exit_code && container.post_mortem;
  return has_words ? WithLastLines(reason, container.post_mortem->last_lines, kReasonLimit)
                   : Shorten(reason, kReasonLimit);
}

}  // namespace

v1::TaskRecord ToRecord(const TaskSnapshot& task) {
  v1::TaskRecord record;
  record.set_goal(static_cast<int>(task.goal));
  record.set_admitted(task.admitted);
  record.set_owns_host_state(task.owns_host_state);
  record.set_provisioned(task.provisioned);
  record.set_finished(task.finished);
  record.set_last_status(task.last_status);
  record.set_stopped_reason(Shorten(task.stopped_reason, kReasonLimit));
  record.set_stop_code(task.stop_code);
  for (const ContainerSnapshot& container : task.containers)
    *record.add_containers() = ToRecord(container);
  SetTimes(task, &record);
  return record;
}

absl::StatusOr<TaskSnapshot> FromRecord(const v1::TaskRecord& record,
                                        absl::Duration default_stop_timeout) {
  ASSIGN_OR_RETURN(TaskSnapshot task, NewTask(record.assignment(), default_stop_timeout),
                   "task record");
  task.goal = record.goal() == static_cast<int>(Goal::kStop) ? Goal::kStop : Goal::kRun;
  task.admitted = record.admitted();
  task.owns_host_state = record.owns_host_state();
  task.provisioned = record.provisioned();
  task.finished = record.finished();
  if (record.last_status() != v1::TaskStatus::UNSPECIFIED) task.last_status = record.last_status();
  task.stopped_reason = record.stopped_reason();
  task.stop_code = record.stop_code();
  for (const v1::ContainerRecord& one : record.containers()) {
    ContainerSnapshot* container = FindContainer(&task, one.name());
    if (container == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("task record ", task.task_id, ": container ",
                                                     one.name(), " is not in its definition"));
    }
    RETURN_IF_ERROR(Restore(one, container), "task record ", task.task_id);
  }
  task.pull_started_at = GetTime(record.has_pull_started_at(), record.pull_started_at());
  task.pull_stopped_at = GetTime(record.has_pull_stopped_at(), record.pull_stopped_at());
  task.started_at = GetTime(record.has_started_at(), record.started_at());
  task.stopping_at = GetTime(record.has_stopping_at(), record.stopping_at());
  task.execution_stopped_at =
      GetTime(record.has_execution_stopped_at(), record.execution_stopped_at());
  task.stopped_at = GetTime(record.has_stopped_at(), record.stopped_at());
  return task;
}

v1::TaskState ToTaskState(const std::string& task_arn, const TaskSnapshot& task,
                          uint64_t sequence) {
  v1::TaskState state;
  state.set_task_arn(task_arn);
  state.set_sequence(sequence);
  state.set_last_status(task.last_status);
  state.set_stopped_reason(Shorten(task.stopped_reason, kReasonLimit));
  state.set_stop_code(task.stop_code);
  state.set_waiting_reason(Shorten(WaitingReasonOf(task), kReasonLimit));
  for (const ContainerSnapshot& container : task.containers) {
    v1::ContainerState* one = state.add_containers();
    one->set_name(container.name);
    one->set_last_status(StatusOf(container));
    if (container.phase >= Phase::kCreated && container.started_at) {
      one->set_runtime_id(ContainerIdOf(task.task_id, container.name));
    }
    one->set_image_digest(container.image_digest);
    // Between two lives they belong to the earlier one and are not reported.
    if (container.phase == Phase::kStopped) {
      if (container.exit_code) one->set_exit_code(*container.exit_code);
      one->set_reason(ReasonForUsers(container));
    }
    one->set_health_status(std::string(ToString(HealthOf(container))));
    one->set_restart_count(container.restart_count);
    if (container.phase == Phase::kRunning) {
      for (const NetworkBinding& binding : container.network_bindings)
        AddBinding(binding, one->add_network_bindings());
    }
  }
  SetTimes(task, &state);
  return state;
}

}  // namespace davit::task
