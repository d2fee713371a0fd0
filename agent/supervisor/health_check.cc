#include "agent/supervisor/health_check.h"

#include <vector>

#include "base/definition/container_checks.h"

namespace davit::supervisor {
namespace {

constexpr size_t kMaxOutputBytes = 1024;

}  // namespace

runtime::ExecSpec CheckCommandOf(const std::string& container_id,
                                 const v1::ContainerDefinition& definition, task::ProbeKind probe) {
  const bool is_liveness = probe == task::ProbeKind::kLiveness;
  v1::HealthCheck check = definition.health_check();
  // Has no problems: otherwise the assignment would have been refused.
  if (!is_liveness) static_cast<void>(ReadReadinessCheck(definition, &check));
  runtime::ExecSpec spec{.container_id = container_id,
                         .exec_id = is_liveness ? "health" : "readiness",
                         .arguments = {}};
  std::vector<std::string> words(check.command().begin(), check.command().end());
  if (!words.empty() && words.front() == "CMD-SHELL") {
    words.erase(words.begin());
    // As Docker does it: sh takes the first word as the script, and the others as its $0, $1, ...
    spec.arguments = {"/bin/sh", "-c"};
    spec.arguments.insert(spec.arguments.end(), words.begin(), words.end());
  } else {
    if (!words.empty() && words.front() == "CMD") words.erase(words.begin());
    spec.arguments = std::move(words);
  }
  if (check.has_timeout()) spec.timeout = absl::Seconds(check.timeout());
  spec.max_output_bytes = kMaxOutputBytes;
  return spec;
}

task::Checked CheckAnswerOf(const task::Check& check,
                            const absl::StatusOr<runtime::ExecResult>& result) {
  task::Checked answer{check.container, check.probe, check.number, std::nullopt};
  if (result.ok()) {
    answer.result = {result->exit_code, result->output};
  } else if (absl::IsDeadlineExceeded(result.status()) ||
             absl::IsFailedPrecondition(result.status()) ||
             absl::IsInvalidArgument(result.status())) {
    answer.result = {std::nullopt, std::string(result.status().message())};
  }
  return answer;
}

}  // namespace davit::supervisor
