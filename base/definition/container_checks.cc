#include "base/definition/container_checks.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/json_decoder.h"

namespace davit {
namespace {

bool IsSwitchedOff(const v1::HealthCheck& check) {
  return !check.command().empty() && check.command(0) == "NONE";
}

}  // namespace

bool HasHealthCheck(const v1::ContainerDefinition& container) {
  return !container.health_check().command().empty() && !IsSwitchedOff(container.health_check());
}

bool HasReadinessCheck(const v1::ContainerDefinition& container) {
  return container.docker_labels().contains(kReadinessCheckLabel);
}

std::vector<std::string> FindCheckProblems(const v1::HealthCheck& check) {
  std::vector<std::string> problems;
  const std::string first = check.command().empty() ? "" : check.command(0);
  if (first != "CMD" && first != "CMD-SHELL" && first != "NONE") {
    problems.emplace_back("command: must begin with CMD or CMD-SHELL.");
  } else if (first != "NONE" && check.command_size() < 2) {
    problems.push_back(absl::StrCat("command: has no command after ", first, "."));
  }
  const auto check_range = [&problems](const char* member, bool is_given, int value, int min,
                                       int max) {
    if (!is_given || (value >= min && value <= max)) return;
    problems.push_back(absl::StrCat(member, ": must be in ", min, "..", max, ", is ", value, "."));
  };
  check_range("interval", check.has_interval(), check.interval(), 5, 300);
  check_range("timeout", check.has_timeout(), check.timeout(), 2, 60);
  check_range("retries", check.has_retries(), check.retries(), 1, 10);
  check_range("startPeriod", check.has_start_period(), check.start_period(), 0, 300);
  return problems;
}

std::vector<std::string> ReadReadinessCheck(const v1::ContainerDefinition& container,
                                            v1::HealthCheck* check) {
  check->Clear();
  const auto label = container.docker_labels().find(kReadinessCheckLabel);
  if (label == container.docker_labels().end()) return {};
  std::vector<std::string> problems = DecodeJson(label->second, check);
  if (problems.empty()) problems = FindCheckProblems(*check);
  if (IsSwitchedOff(*check)) {
    problems.emplace_back("command: cannot be NONE: remove the label instead.");
  }
  if (check->has_start_period()) {
    problems.emplace_back(
        "startPeriod: must be absent: no container is ready before its check has passed.");
  }
  for (std::string& problem : problems) {
    problem = absl::StrCat("dockerLabels['", kReadinessCheckLabel, "']",
                           absl::StartsWith(problem, "not JSON") ? ": " : ".", problem);
  }
  if (!check->has_interval()) check->set_interval(5);
  if (!check->has_timeout()) check->set_timeout(5);
  if (!check->has_retries()) check->set_retries(1);
  return problems;
}

}  // namespace davit
