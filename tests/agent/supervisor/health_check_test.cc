#include "agent/supervisor/health_check.h"

#include <catch2/catch.hpp>

namespace davit::supervisor {
namespace {

v1::HealthCheck Check(const std::vector<std::string>& command) {
  v1::HealthCheck check;
  for (const std::string& word : command) check.add_command(word);
  return check;
}

TEST_CASE("a health check's command is run as it is, or by the container's shell", "[health]") {
  using Words = std::vector<std::string>;
  CHECK(HealthCommandOf("c", Check({"CMD", "/check", "a b"})).arguments == Words{"/check", "a b"});
  CHECK(HealthCommandOf("c", Check({"CMD-SHELL", "test -e /x || exit 1"})).arguments ==
        Words{"/bin/sh", "-c", "test -e /x || exit 1"});
}

TEST_CASE("a health check has five seconds unless it says otherwise", "[health]") {
  v1::HealthCheck check = Check({"CMD", "/check"});
  CHECK(HealthCommandOf("c", check).timeout == absl::Seconds(5));
  check.set_timeout(60);
  CHECK(HealthCommandOf("c", check).timeout == absl::Seconds(60));
}

TEST_CASE("what a health check's end says", "[health]") {
  const task::CheckHealth check{"web", 7};
  const auto answer = [&check](const absl::StatusOr<runtime::ExecResult>& result) {
    return HealthAnswerOf(check, result);
  };
  CHECK(answer(runtime::ExecResult{0, "fine"}).passed == true);
  CHECK(answer(runtime::ExecResult{0, "fine"}).output == "fine");
  CHECK(answer(runtime::ExecResult{0, "fine"}).number == 7);
  CHECK(answer(runtime::ExecResult{1, "no"}).passed == false);
  CHECK(answer(runtime::ExecResult{137, ""}).passed == false);
  CHECK(answer(absl::DeadlineExceededError("too long")).passed == false);
  CHECK(answer(absl::DeadlineExceededError("too long")).output == "too long");
  CHECK(answer(absl::FailedPreconditionError("no such program")).passed == false);
  CHECK(answer(absl::UnavailableError("containerd is away")).passed == std::nullopt);
  CHECK(answer(absl::NotFoundError("it does not run")).passed == std::nullopt);
}

}  // namespace
}  // namespace davit::supervisor
