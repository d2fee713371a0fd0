#include "agent/task/dependencies.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::task {
namespace {

using Verdict = DependencyAnswer::Verdict;

DependencyAnswer Never(absl::string_view why) {
  return {Verdict::kNever, absl::StrCat("TaskDependencyError: ", why)};
}

DependencyAnswer AnswerOf(const ContainerSnapshot& other, Condition condition) {
  const bool has_ended = other.phase == Phase::kStopped;
  switch (condition) {
    case Condition::kStart:
      if (other.phase >= Phase::kRunning) return {};
      return {Verdict::kWaits, absl::StrCat("waits for container ", other.name, " to start")};
    case Condition::kComplete:
      if (has_ended && other.finished_at) return {};
      if (has_ended) return Never(absl::StrCat("container ", other.name, " has never run"));
      break;
    case Condition::kSuccess:
      if (has_ended && other.exit_code == 0) return {};
      if (has_ended) {
        return Never(
            absl::StrCat("container ", other.name, " did not end with exit code 0",
                         other.exit_code ? absl::StrCat(" but with ", *other.exit_code) : ""));
      }
      break;
    case Condition::kHealthy:
      if (HealthOf(other) == Health::kHealthy && !has_ended) return {};
      if (has_ended)
        return Never(absl::StrCat("container ", other.name, " ended before it was HEALTHY"));
      break;
  }
  const absl::string_view what =
      condition == Condition::kHealthy ? " to be HEALTHY" : " to complete";
  if (other.start_timed_out) {
    return Never(absl::StrCat("container ", other.name, " took longer than its startTimeout of ",
                              absl::FormatDuration(other.start_timeout), what));
  }
  return {Verdict::kWaits, absl::StrCat("waits for container ", other.name, what)};
}

// Depth-first search. `path` has the containers from the start to this one.
absl::Status CheckFrom(const TaskSnapshot& task, const ContainerSnapshot& container,
                       std::set<std::string>* path) {
  if (!path->insert(container.name).second) {
    return absl::InvalidArgumentError(
        absl::StrCat("dependsOn: container ", container.name, " depends on itself"));
  }
  for (const Dependency& dependency : container.depends_on) {
    const ContainerSnapshot* other = FindContainer(task, dependency.container);
    if (other == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("dependsOn: container ", container.name,
                                                     " depends on unknown container '",
                                                     dependency.container, "'"));
    }
    if (dependency.condition == Condition::kHealthy && other->probes.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("dependsOn: container ", other->name,
                       " has no healthCheck and no readiness check, so it is never HEALTHY"));
    }
    RETURN_IF_ERROR(CheckFrom(task, *other, path));
  }
  path->erase(container.name);
  return absl::OkStatus();
}

}  // namespace

DependencyAnswer AnswerDependencies(const TaskSnapshot& task, const ContainerSnapshot& container) {
  DependencyAnswer worst;
  for (const Dependency& dependency : container.depends_on) {
    DependencyAnswer answer =
        AnswerOf(*FindContainer(task, dependency.container), dependency.condition);
    if (answer.verdict > worst.verdict) worst = std::move(answer);
  }
  return worst;
}

bool MayStop(const TaskSnapshot& task, const ContainerSnapshot& container) {
  return std::none_of(
      task.containers.begin(), task.containers.end(), [&container](const ContainerSnapshot& other) {
        return other.phase != Phase::kStopped &&
               std::any_of(
                   other.depends_on.begin(), other.depends_on.end(),
                   [&container](const Dependency& d) { return d.container == container.name; });
      });
}

absl::Status CheckDependencies(const TaskSnapshot& task) {
  for (const ContainerSnapshot& container : task.containers) {
    std::set<std::string> path;
    RETURN_IF_ERROR(CheckFrom(task, container, &path));
  }
  return absl::OkStatus();
}

}  // namespace davit::task
