#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {
namespace {

using Paths = std::vector<std::string>;
using Case = std::pair<std::string, std::string>;

template <typename Message>
Message Parse(const std::string& json) {
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &message);
  INFO(status.ToString());
  REQUIRE(status.ok());
  return message;
}

TEST_CASE("a task with an unsupported member is refused by path", "[spec]") {
  const auto [json, path] = GENERATE(values<Case>({
      {R"("networkMode": "awsvpc")", "networkMode"},
      {R"("networkMode": "nat")", "networkMode"},
      {R"("requiresCompatibilities": ["FARGATE"])", "requiresCompatibilities"},
      {R"("runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"})",
       "runtimePlatform.operatingSystemFamily"},
      {R"("inferenceAccelerators": [{"deviceName": "d"}])", "inferenceAccelerators"},
      {R"("proxyConfiguration": {"containerName": "envoy"})", "proxyConfiguration"},
      {R"("ephemeralStorage": {"sizeInGiB": 30})", "ephemeralStorage"},
      {R"("enableFaultInjection": true)", "enableFaultInjection"},
      {R"("volumes": [{"name": "a"}, {"name": "b", "dockerVolumeConfiguration": {"driver": "x"}}])",
       "volumes[1].dockerVolumeConfiguration"},
      {R"("volumes": [{"efsVolumeConfiguration": {"fileSystemId": "fs-1"}}])",
       "volumes[0].efsVolumeConfiguration"},
      {R"("volumes": [{"fsxWindowsFileServerVolumeConfiguration": {}}])",
       "volumes[0].fsxWindowsFileServerVolumeConfiguration"},
      {R"("volumes": [{"configuredAtLaunch": true}])", "volumes[0].configuredAtLaunch"},
  }));
  CHECK(UnsupportedMembers(Parse<v1::TaskDefinition>("{" + json + "}")) == Paths{path});
}

TEST_CASE("a container with an unsupported member is refused by path", "[spec]") {
  const auto [json, member] = GENERATE(values<Case>({
      {R"("repositoryCredentials": {"credentialsParameter": "arn"})", "repositoryCredentials"},
      {R"("links": ["db"])", "links"},
      {R"("versionConsistency": "sometimes")", "versionConsistency"},
      {R"("dnsServers": ["10.0.0.2"])", "dnsServers"},
      {R"("dnsSearchDomains": ["local"])", "dnsSearchDomains"},
      {R"("extraHosts": [{"hostname": "a", "ipAddress": "10.0.0.3"}])", "extraHosts"},
      {R"("logConfiguration": {"logDriver": "awslogs"})", "logConfiguration.logDriver"},
      {R"("logConfiguration": {"logDriver": "json-file", "options": {"max-size": "1m"}})",
       "logConfiguration.options"},
      {R"("logConfiguration": {"logDriver": "json-file", "secretOptions": [{"name": "t"}]})",
       "logConfiguration.secretOptions"},
      {R"("resourceRequirements": [{"type": "GPU", "value": "1"}, {"type": "InferenceAccelerator"}])",
       "resourceRequirements"},
      {R"("firelensConfiguration": {"type": "fluentbit"})", "firelensConfiguration"},
      {R"("credentialSpecs": ["credentialspec:arn"])", "credentialSpecs"},
      {R"("portMappings": [{"containerPort": 80}, {"containerPortRange": "1-2"}])",
       "portMappings[1].containerPortRange"},
      {R"("dockerSecurityOptions": ["no-new-privileges", "apparmor:x"])",
       "dockerSecurityOptions[1]"},
  }));
  const v1::TaskDefinition task = Parse<v1::TaskDefinition>(
      "{\"containerDefinitions\": [{\"name\": \"first\"}, {" + json + "}]}");
  CHECK(UnsupportedMembers(task) == Paths{"containerDefinitions[1]." + member});
}

TEST_CASE("all unsupported members are listed at once", "[spec]") {
  const v1::TaskDefinition task = Parse<v1::TaskDefinition>(R"({
      "networkMode": "awsvpc", "volumes": [{"configuredAtLaunch": true}],
      "containerDefinitions": [{"dnsServers": ["10.0.0.2"], "extraHosts": [{"hostname": "a"}]},
                               {"links": ["a"], "dnsServers": ["9.9.9.9"]}]})");
  CHECK(UnsupportedMembers(task) ==
        Paths{"networkMode", "volumes[0].configuredAtLaunch", "containerDefinitions[0].dnsServers",
              "containerDefinitions[0].extraHosts", "containerDefinitions[1].links",
              "containerDefinitions[1].dnsServers"});
}

TEST_CASE("defaults and members without effect are accepted", "[spec]") {
  const v1::TaskDefinition task = Parse<v1::TaskDefinition>(R"({
      "family": "web", "taskRoleArn": "arn", "executionRoleArn": "arn", "networkMode": "bridge",
      "requiresCompatibilities": ["EC2", "FARGATE"], "compatibilities": ["EC2"],
      "placementConstraints": [{"type": "memberOf", "expression": "x"}],
      "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
      "cpu": "256", "memory": "512", "pidMode": "task", "ipcMode": "none",
      "enableFaultInjection": false,
      "volumes": [{"name": "a", "host": {"sourcePath": "/srv"}, "configuredAtLaunch": false}],
      "containerDefinitions": [{
        "name": "web", "image": "x", "essential": true, "versionConsistency": "enabled",
        "restartPolicy": {"enabled": true}, "startTimeout": 10, "stopTimeout": 10,
        "dependsOn": [{"containerName": "db", "condition": "HEALTHY"}],
        "healthCheck": {"command": ["CMD-SHELL", "true"]}, "interactive": true,
        "linuxParameters": {"initProcessEnabled": false},
        "resourceRequirements": [{"type": "GPU", "value": "1"}],
        "logConfiguration": {"logDriver": "json-file"},
        "portMappings": [{"containerPort": 80, "name": "http", "appProtocol": "http"}]}]})");
  CHECK(UnsupportedMembers(task).empty());
  CHECK(UnsupportedMembers(v1::TaskDefinition()).empty());
}

TEST_CASE("unsupported overrides are refused by path", "[spec]") {
  const v1::TaskOverride overrides = Parse<v1::TaskOverride>(R"({
      "ephemeralStorage": {"sizeInGiB": 30}, "taskRoleArn": "arn", "cpu": "256",
      "containerOverrides": [{"name": "a", "command": ["x"], "cpu": 5},
                             {"resourceRequirements": [{"type": "GPU", "value": "2"}]},
                             {"resourceRequirements": [{"type": "InferenceAccelerator"}]}]})");
  CHECK(UnsupportedMembers(overrides) ==
        Paths{"ephemeralStorage", "containerOverrides[2].resourceRequirements"});
}

}  // namespace
}  // namespace davit::spec
