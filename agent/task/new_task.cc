#include "agent/task/new_task.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/task/dependencies.h"
#include "base/definition/container_checks.h"
#include "base/definition/pause_name.h"
#include "base/definition/reservation.h"
#include "base/ids.h"
#include "base/status.h"

namespace davit::task {
namespace {

constexpr size_t kMaxNameLength = 255;

// ECS's letters for names of tasks and containers. Files and folders are called after them: any
// other name, such as "../x", could reach what is not the task's.
bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxNameLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

Condition ConditionOf(const std::string& name) {
  if (name == "COMPLETE") return Condition::kComplete;
  if (name == "SUCCESS") return Condition::kSuccess;
  if (name == "HEALTHY") return Condition::kHealthy;
  return Condition::kStart;
}

Probe NewProbe(const v1::HealthCheck& wanted) {
  Probe probe;
  if (wanted.has_interval()) probe.check.interval = absl::Seconds(wanted.interval());
  if (wanted.has_retries()) probe.check.retries = wanted.retries();
  probe.check.start_period = absl::Seconds(wanted.start_period());
  return probe;
}

absl::Status AddProbes(const v1::ContainerDefinition& wanted, ContainerSnapshot* container) {
  if (HasHealthCheck(wanted)) {
    container->probes.emplace(ProbeKind::kLiveness, NewProbe(wanted.health_check()));
  }
  if (!HasReadinessCheck(wanted)) return absl::OkStatus();
  v1::HealthCheck check;
  const std::vector<std::string> problems = ReadReadinessCheck(wanted, &check);
  if (!problems.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("container '", wanted.name(), "': ", absl::StrJoin(problems, " ")));
  }
  container->probes.emplace(ProbeKind::kReadiness, NewProbe(check));
  return absl::OkStatus();
}

absl::StatusOr<ContainerSnapshot> NewContainer(const v1::ContainerDefinition& wanted,
                                               absl::Duration default_stop_timeout) {
  ContainerSnapshot container;
  container.name = wanted.name();
  container.essential = !wanted.has_essential() || wanted.essential();
  container.stop_timeout =
      wanted.has_stop_timeout() ? absl::Seconds(wanted.stop_timeout()) : default_stop_timeout;
  if (wanted.has_start_timeout()) container.start_timeout = absl::Seconds(wanted.start_timeout());
  for (const v1::ContainerDependency& dependency : wanted.depends_on()) {
    container.depends_on.push_back(
        {dependency.container_name(), ConditionOf(dependency.condition())});
  }
  const v1::ContainerRestartPolicy& policy = wanted.restart_policy();
  container.restart_policy.enabled = policy.enabled();
  container.restart_policy.ignored_exit_codes.assign(policy.ignored_exit_codes().begin(),
                                                     policy.ignored_exit_codes().end());
  if (policy.has_restart_attempt_period()) {
    container.restart_policy.attempt_period = absl::Seconds(policy.restart_attempt_period());
  }
  RETURN_IF_ERROR(AddProbes(wanted, &container));
  return container;
}

}  // namespace

absl::StatusOr<TaskSnapshot> NewTask(const v1::Assignment& assignment,
                                     absl::Duration default_stop_timeout) {
  TaskSnapshot task;
  task.task_id = ShortId(assignment.task_arn());
  if (task.task_id.empty()) return absl::InvalidArgumentError("assignment without taskArn");
  if (!IsName(task.task_id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("taskArn: '", task.task_id, "' is not the id of a task"));
  }
  const v1::TaskDefinition& definition = assignment.task_definition();
  if (definition.container_definitions().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(assignment.task_arn(), ": no containerDefinitions"));
  }
  std::set<std::string> names;
  for (const v1::ContainerDefinition& wanted : definition.container_definitions()) {
    if (wanted.name().empty() || !names.insert(wanted.name()).second) {
      return absl::InvalidArgumentError(absl::StrCat(assignment.task_arn(),
                                                     ": containerDefinitions: name '",
                                                     wanted.name(), "' is empty or repeated"));
    }
    if (!IsName(wanted.name()) && wanted.name() != kPauseContainer) {
      return absl::InvalidArgumentError(
          absl::StrCat(assignment.task_arn(), ": containerDefinitions: name '", wanted.name(),
                       "' must be 1 to 255 letters, digits, hyphens and underscores"));
    }
    ASSIGN_OR_RETURN(ContainerSnapshot container, NewContainer(wanted, default_stop_timeout),
                     assignment.task_arn());
    task.containers.push_back(std::move(container));
  }
  RETURN_IF_ERROR(CheckDependencies(task), assignment.task_arn());
  return task;
}

ResourceNeeds NeedsOf(const v1::Assignment& assignment) {
  const Reservation reservation =
      ReservationOf(assignment.task_definition(), assignment.overrides());
  ResourceNeeds needs;
  needs.cpu = static_cast<int>(reservation.cpu_units);
  needs.memory = static_cast<int>(reservation.memory_mib);
  needs.tcp_ports.insert(reservation.tcp_ports.begin(), reservation.tcp_ports.end());
  needs.udp_ports.insert(reservation.udp_ports.begin(), reservation.udp_ports.end());
  for (const v1::ContainerIdentity& container : assignment.containers()) {
    needs.gpus.insert(container.gpu_ids().begin(), container.gpu_ids().end());
  }
  return needs;
}

}  // namespace davit::task
