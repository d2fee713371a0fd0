#include "base/definition/container_checks.h"

#include <catch2/catch.hpp>

namespace davit {
namespace {

using Problems = std::vector<std::string>;

v1::ContainerDefinition Labelled(const std::string& json) {
  v1::ContainerDefinition container;
  (*container.mutable_docker_labels())["davit.readiness-check"] = json;
  return container;
}

Problems ProblemsOf(const std::string& json) {
  v1::HealthCheck check;
  return ReadReadinessCheck(Labelled(json), &check);
}

TEST_CASE("a readiness check is ECS's HealthCheck as JSON", "[checks]") {
  v1::HealthCheck check;
  CHECK(ReadReadinessCheck(
            Labelled(
                R"({"command": ["CMD", "/ready"], "interval": 300, "timeout": 60, "retries": 10})"),
            &check)
            .empty());
  REQUIRE(check.command_size() == 2);
  CHECK(check.command(1) == "/ready");
  CHECK(check.interval() == 300);
  CHECK(check.timeout() == 60);
  CHECK(check.retries() == 10);
}

TEST_CASE("by default a readiness check runs often and one result is enough", "[checks]") {
  v1::HealthCheck check;
  CHECK(ReadReadinessCheck(Labelled(R"({"command": ["CMD-SHELL", "true"]})"), &check).empty());
  CHECK(check.interval() == 5);
  CHECK(check.timeout() == 5);
  CHECK(check.retries() == 1);
}

TEST_CASE("a container without the label has no readiness check", "[checks]") {
  v1::HealthCheck check;
  check.set_interval(7);
  CHECK(ReadReadinessCheck({}, &check).empty());
  CHECK(check.command().empty());
  CHECK_FALSE(HasReadinessCheck({}));
  CHECK(HasReadinessCheck(Labelled("")));
}

TEST_CASE("each error in a readiness check names label, member and a correct value", "[checks]") {
  const std::string at = "dockerLabels['davit.readiness-check']";
  const auto one = [&at](const std::string& problem) { return Problems{at + problem}; };
  CHECK(ProblemsOf(R"({"command": ["CMD", "/x"], "interval": 4})") ==
        one(".interval: must be in 5..300, is 4."));
  CHECK(ProblemsOf(R"({"command": ["CMD", "/x"], "timeout": 61})") ==
        one(".timeout: must be in 2..60, is 61."));
  CHECK(ProblemsOf(R"({"command": ["CMD", "/x"], "retries": 0})") ==
        one(".retries: must be in 1..10, is 0."));
  CHECK(ProblemsOf(R"({"command": ["CMD", "/x"], "interval": "5"})") ==
        one(".interval: must be a whole number, is a string"));
  CHECK(ProblemsOf(R"({"command": ["CMD", "/x"], "Retries": 1})") ==
        one(".Retries: unknown member"));
  CHECK(ProblemsOf(R"({"command": "true"})") == one(".command: must be a list, is a string"));
  for (const char* none : {"", "{}", R"({"command": []})", R"({"command": ["true"]})"}) {
    CHECK(ProblemsOf(none) == one(".command: must begin with CMD or CMD-SHELL."));
  }
  CHECK(ProblemsOf(R"({"command": ["CMD"]})") == one(".command: has no command after CMD."));
  CHECK(ProblemsOf(R"({"command": ["NONE"]})") ==
        one(".command: cannot be NONE: remove the label instead."));
  CHECK(ProblemsOf(R"({"command": ["CMD", "/x"], "startPeriod": 0})") ==
        one(".startPeriod: must be absent: no container is ready before its check has passed."));
  const Problems not_json = ProblemsOf("curl -f localhost");
  REQUIRE(not_json.size() == 1);
  CHECK_THAT(not_json[0], Catch::StartsWith(at + ": not JSON: "));
}

TEST_CASE("all errors in a readiness check are reported at once", "[checks]") {
  CHECK(ProblemsOf(R"({"interval": 1, "timeout": 1, "retries": 11, "startPeriod": 301})").size() ==
        6);
}

TEST_CASE("a disabled health check does not count as one", "[checks]") {
  v1::ContainerDefinition container;
  CHECK_FALSE(HasHealthCheck(container));
  container.mutable_health_check()->add_command("NONE");
  CHECK_FALSE(HasHealthCheck(container));
  CHECK(FindCheckProblems(container.health_check()).empty());
  container.mutable_health_check()->set_command(0, "CMD");
  container.mutable_health_check()->add_command("/check");
  CHECK(HasHealthCheck(container));
}

}  // namespace
}  // namespace davit
