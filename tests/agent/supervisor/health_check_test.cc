#include "agent/supervisor/health_check.h"

#include <catch2/catch.hpp>

namespace davit::supervisor {
namespace {

constexpr task::ProbeKind kLiveness = task::ProbeKind::kLiveness;
constexpr task::ProbeKind kReadiness = task::ProbeKind::kReadiness;
using Words = std::vector<std::string>;

v1::ContainerDefinition Checked(const Words& command) {
  v1::ContainerDefinition definition;
  for (const std::string& word : command) definition.mutable_health_check()->add_command(word);
  return definition;
}

TEST_CASE("a health check's command is run as it is, or by the container's shell", "[health]") {
  CHECK(CheckCommandOf("c", Checked({"CMD", "/check", "a b"}), kLiveness).arguments ==
        Words{"/check", "a b"});
  CHECK(CheckCommandOf("c", Checked({"CMD-SHELL", "test -e /x || exit 1"}), kLiveness).arguments ==
        Words{"/bin/sh", "-c", "test -e /x || exit 1"});
}

// Docker's: the shell gets the words as they are, so that the second one is $0 of the first.
TEST_CASE("only the word after CMD-SHELL is a script, as in Docker", "[health]") {
  CHECK(CheckCommandOf("c", Checked({"CMD-SHELL", "exit", "1"}), kLiveness).arguments ==
        Words{"/bin/sh", "-c", "exit", "1"});
}

TEST_CASE("a health check has five seconds unless it says otherwise", "[health]") {
  v1::ContainerDefinition definition = Checked({"CMD", "/check"});
  CHECK(CheckCommandOf("c", definition, kLiveness).timeout == absl::Seconds(5));
  definition.mutable_health_check()->set_timeout(60);
  CHECK(CheckCommandOf("c", definition, kLiveness).timeout == absl::Seconds(60));
}

TEST_CASE("a readiness check is another command, and runs beside the health check", "[health]") {
  v1::ContainerDefinition definition = Checked({"CMD", "/check"});
  (*definition.mutable_docker_labels())["davit.readiness-check"] =
      R"({"command": ["CMD-SHELL", "test -e /ready"], "timeout": 2})";
  const runtime::ExecSpec readiness = CheckCommandOf("c", definition, kReadiness);
  CHECK(readiness.arguments == Words{"/bin/sh", "-c", "test -e /ready"});
  CHECK(readiness.timeout == absl::Seconds(2));
  const runtime::ExecSpec liveness = CheckCommandOf("c", definition, kLiveness);
  CHECK(liveness.arguments == Words{"/check"});
  CHECK(liveness.exec_id != readiness.exec_id);
}

TEST_CASE("what a check's end says", "[health]") {
  const auto answer = [](const absl::StatusOr<runtime::ExecResult>& result) {
    return CheckAnswerOf(task::Check{"web", kReadiness, 7}, result);
  };
  CHECK(answer(runtime::ExecResult{0, "fine"}).container == "web");
  CHECK(answer(runtime::ExecResult{0, "fine"}).probe == kReadiness);
  CHECK(answer(runtime::ExecResult{0, "fine"}).number == 7);
  CHECK(answer(runtime::ExecResult{0, "fine"}).result == task::CheckResult{0, "fine"});
  CHECK(answer(runtime::ExecResult{137, ""}).result == task::CheckResult{137, ""});
  CHECK(answer(absl::DeadlineExceededError("too long")).result ==
        task::CheckResult{std::nullopt, "too long"});
  CHECK(answer(absl::FailedPreconditionError("no such program")).result ==
        task::CheckResult{std::nullopt, "no such program"});
  CHECK(answer(absl::UnavailableError("containerd is away")).result == std::nullopt);
  CHECK(answer(absl::NotFoundError("it does not run")).result == std::nullopt);
}

}  // namespace
}  // namespace davit::supervisor
