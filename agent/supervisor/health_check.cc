#include "agent/supervisor/health_check.h"

#include <vector>

#include "absl/strings/str_join.h"

namespace davit::supervisor {
namespace {

constexpr size_t kMaxOutputBytes = 1024;

}  // namespace

runtime::ExecSpec HealthCommandOf(const std::string& container_id, const v1::HealthCheck& check) {
  runtime::ExecSpec spec{.container_id = container_id, .exec_id = "health", .arguments = {}};
  std::vector<std::string> words(check.command().begin(), check.command().end());
  if (!words.empty() && words.front() == "CMD-SHELL") {
    words.erase(words.begin());
    spec.arguments = {"/bin/sh", "-c", absl::StrJoin(words, " ")};
  } else {
    if (!words.empty() && words.front() == "CMD") words.erase(words.begin());
    spec.arguments = std::move(words);
  }
  if (check.has_timeout()) spec.timeout = absl::Seconds(check.timeout());
  spec.max_output_bytes = kMaxOutputBytes;
  return spec;
}

task::HealthChecked HealthAnswerOf(const task::CheckHealth& check,
                                   const absl::StatusOr<runtime::ExecResult>& result) {
  task::HealthChecked answer{check.container, check.number, std::nullopt, ""};
  if (result.ok()) {
    answer.passed = result->exit_code == 0;
    answer.output = result->output;
  } else if (absl::IsDeadlineExceeded(result.status()) ||
             absl::IsFailedPrecondition(result.status()) ||
             absl::IsInvalidArgument(result.status())) {
    answer.passed = false;
    answer.output = std::string(result.status().message());
  }
  return answer;
}

}  // namespace davit::supervisor
