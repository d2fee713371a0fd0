// The real program with the real `aws` client: what a user sees.
#include <signal.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/http_client.h"
#include "base/http_server.h"
#include "base/subprocess.h"
#include "tests/controller/program/controller_process.h"
#include "tests/support/skip.h"

namespace davit::test {
namespace {

using Json = nlohmann::json;

constexpr char kAws[] = "/usr/bin/aws";

CommandResult Aws(const ControllerProcess& controller, std::vector<std::string> arguments) {
  Command command;
  command.arguments = {kAws, "--endpoint-url", controller.url(), "--output", "json", "ecs"};
  for (std::string& argument : arguments) command.arguments.push_back(std::move(argument));
  command.environment = {{"PATH", "/usr/bin:/bin"},
                         {"HOME", controller.folder()},
                         {"AWS_ACCESS_KEY_ID", "AKID"},
                         {"AWS_SECRET_ACCESS_KEY", "secret"},
                         {"AWS_DEFAULT_REGION", "us-east-1"},
                         {"AWS_EC2_METADATA_DISABLED", "true"},
                         {"AWS_PAGER", ""},
                         {"AWS_MAX_ATTEMPTS", "1"}};
  const auto result = RunCommand(command);
  REQUIRE(result.ok());
  return *result;
}

Json AwsJson(const ControllerProcess& controller, std::vector<std::string> arguments) {
  const CommandResult result = Aws(controller, std::move(arguments));
  INFO(result.error_output);
  REQUIRE(result.exit_code == 0);
  return Json::parse(result.output);
}

void NeedAws() {
  if (!FileExists(kAws)) Skip("the aws client is not installed");
}

TEST_CASE("the aws client makes clusters and definitions, and a restart keeps them", "[program]") {
  NeedAws();
  ControllerProcess controller;
  REQUIRE(controller.Start());
  CHECK(
      AwsJson(controller, {"create-cluster", "--cluster-name", "blue"})["cluster"]["clusterArn"] ==
      "arn:aws:ecs:us-east-1:000000000000:cluster/blue");
  const Json registered = AwsJson(
      controller,
      {"register-task-definition", "--family", "sleep360", "--container-definitions",
       R"([{"name":"sleep","image":"busybox","command":["sleep","360"],"cpu":10,"memory":10}])"});
  CHECK(registered["taskDefinition"]["taskDefinitionArn"] ==
        "arn:aws:ecs:us-east-1:000000000000:task-definition/sleep360:1");
  CHECK(registered["taskDefinition"]["containerDefinitions"][0]["essential"] == true);
  CHECK(controller.Stop(SIGKILL) == -1);

  REQUIRE(controller.Start());
  CHECK(AwsJson(controller, {"list-task-definitions"})["taskDefinitionArns"].size() == 1);
  const Json described =
      AwsJson(controller, {"describe-task-definition", "--task-definition", "sleep360"});
  CHECK(described["taskDefinition"] == registered["taskDefinition"]);
  CHECK(controller.Stop(SIGTERM) == 0);
}

TEST_CASE("errors reach the aws client under ECS's names", "[program]") {
  NeedAws();
  ControllerProcess controller;
  REQUIRE(controller.Start());
  const CommandResult no_cluster = Aws(controller, {"list-tasks"});
  CHECK(no_cluster.exit_code == 254);
  CHECK_THAT(
      no_cluster.error_output,
      Catch::Contains("An error occurred (ClusterNotFoundException) when calling the ListTasks") &&
          Catch::Contains("Cluster not found."));
  const CommandResult unbuilt = Aws(controller, {"list-services"});
  CHECK_THAT(unbuilt.error_output, Catch::Contains("(UnsupportedFeatureException)"));
  const CommandResult missing = Aws(controller, {"describe-clusters", "--clusters", "red"});
  CHECK(Json::parse(missing.output)["failures"][0]["reason"] == "MISSING");
}

TEST_CASE("with access keys, the client's signature decides", "[program]") {
  NeedAws();
  ControllerProcess controller;
  controller.WriteConfig("[api.access_keys]\nAKID = \"secret\"\n");
  REQUIRE(controller.Start());
  CHECK(Aws(controller, {"list-clusters"}).exit_code == 0);
  CHECK_THAT(Aws(controller, {"list-clusters", "--no-sign-request"}).error_output,
             Catch::Contains("MissingAuthenticationTokenException"));
  controller.Stop(SIGTERM);
  controller.WriteConfig("[api.access_keys]\nAKID = \"other\"\n");
  REQUIRE(controller.Start());
  CHECK_THAT(Aws(controller, {"list-clusters"}).error_output,
             Catch::Contains("InvalidSignatureException"));
}

TEST_CASE("metrics and health are served next to the API", "[program]") {
  ControllerProcess controller;
  REQUIRE(controller.Start());
  HttpRequest request;
  request.url = controller.url() + "/metrics";
  const auto metrics = Fetch(request);
  REQUIRE(metrics.ok());
  CHECK_THAT(metrics->body, Catch::Contains("davit_controller_epoch 1"));
  request.url = controller.url() + "/healthz";
  CHECK(Fetch(request)->status == 200);
}

TEST_CASE("a wrong configuration ends with code 5 and all its errors", "[program]") {
  ControllerProcess controller;
  controller.WriteConfig("prot = 1\n[tasks]\nstopped_retention = \"soon\"\n");
  CHECK(controller.Run() == 5);
  CHECK_THAT(controller.Log(),
             Catch::Contains("api.prot") && Catch::Contains("tasks.stopped_retention"));
}

TEST_CASE("a port that is taken ends with code 1 and names itself", "[program]") {
  const auto other =
      HttpServer::Start({}, [](const HttpServerRequest&) { return HttpServerResponse(); });
  REQUIRE(other.ok());
  ControllerProcess controller;
  (void)WriteFileAtomically(
      controller.folder() + "/controller.toml",
      "[controller]\ndev = true\nstate_dir = \"" + controller.folder() +
          "/state\"\n[gateway]\nport = 0\n[api]\nport = " + std::to_string((*other)->port()));
  CHECK(controller.Run() == 1);
  CHECK_THAT(controller.Log(), Catch::Contains(std::to_string((*other)->port())));
}

TEST_CASE("a damaged state folder ends with code 1 and names its file", "[program]") {
  ControllerProcess controller;
  REQUIRE(MakeDirectories(controller.folder() + "/state").ok());
  REQUIRE(WriteFileAtomically(controller.folder() + "/state/controller.db", std::string(8192, 'x'))
              .ok());
  CHECK(controller.Run() == 1);
  CHECK_THAT(controller.Log(), Catch::Contains("/state/controller.db"));
}

}  // namespace
}  // namespace davit::test
