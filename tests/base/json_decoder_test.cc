#include "base/json_decoder.h"

#include <catch2/catch.hpp>

#include "davit/v1/ecs.pb.h"

namespace davit {
namespace {

using Problems = std::vector<std::string>;

TEST_CASE("every kind of member is read by its JSON name", "[json]") {
  v1::RegisterTaskDefinitionRequest request;
  const Problems problems = DecodeJson(
      R"({"family": "web", "containerDefinitions": [{"name": "a", "cpu": 10, "essential": false,
          "command": ["sh", "-c"], "dockerLabels": {"x": "1", "y": ""}, "healthCheck": null}]})",
      &request);
  CHECK(problems.empty());
  const v1::ContainerDefinition& container = request.container_definitions(0);
  CHECK(container.cpu() == 10);
  CHECK(container.has_essential());
  CHECK_FALSE(container.has_health_check());
  CHECK(container.command_size() == 2);
  CHECK(container.docker_labels().at("x") == "1");
}

TEST_CASE("irregular JSON names follow ECS", "[json]") {
  v1::RunTaskRequest run;
  CHECK(DecodeJson(R"({"enableECSManagedTags": true})", &run).empty());
  CHECK(run.enable_ecs_managed_tags());
  v1::NetworkBinding binding;
  CHECK(DecodeJson(R"({"bindIP": "0.0.0.0"})", &binding).empty());
  v1::EphemeralStorage storage;
  CHECK(DecodeJson(R"({"sizeInGiB": 21})", &storage).empty());
  v1::ContainerInstance instance;
  CHECK(DecodeJson(R"({"ec2InstanceId": "i-1"})", &instance).empty());
}

TEST_CASE("all unknown members and wrong types are found, with their paths", "[json]") {
  v1::RegisterTaskDefinitionRequest request;
  CHECK(
      DecodeJson(
          R"({"Family": "web", "volumes": {}, "containerDefinitions": [{"cpu": "10", "memory": 1.5,
                       "essential": 1, "command": "sh", "environment": ["A=1"], "dockerLabels": {"x": 1}}, 7]})",
          &request) ==
      Problems{
          "Family: unknown member",
          "containerDefinitions[0].command: must be a list, is a string",
          "containerDefinitions[0].cpu: must be a whole number, is a string",
          "containerDefinitions[0].dockerLabels.x: must be a string, is a whole number",
          "containerDefinitions[0].environment[0]: must be an object, is a string",
          "containerDefinitions[0].essential: must be a boolean, is a whole number",
          "containerDefinitions[0].memory: must be a whole number, is a number",
          "containerDefinitions[1]: must be an object, is a whole number",
          "volumes: must be a list, is an object",
      });
}

TEST_CASE("whole numbers out of range are refused, not truncated", "[json]") {
  const std::string number = GENERATE("2147483648", "-2147483649", "18446744073709551615");
  v1::RunTaskRequest request;
  CHECK(DecodeJson("{\"count\": " + number + "}", &request) ==
        Problems{"count: out of range: " + number});
}

TEST_CASE("text that is not a JSON object is one problem", "[json]") {
  const std::string text = GENERATE("[]", "7", "{", "{\"a\":}", "nul", "\"x\"");
  v1::RunTaskRequest request;
  const Problems problems = DecodeJson(text, &request);
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems[0], Catch::StartsWith("not JSON: "));
}

TEST_CASE("an empty body is an empty request", "[json]") {
  v1::ListClustersRequest request;
  CHECK(DecodeJson("", &request).empty());
}

TEST_CASE("nesting is bounded", "[json]") {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "{\"a\":";
  v1::RunTaskRequest request;
  CHECK(DecodeJson(text, &request).size() == 1);
  CHECK(DecodeJson(std::string(100000, '['), &request).size() == 1);
}

}  // namespace
}  // namespace davit
