#include "controller/definition/rules.h"

#include <catch2/catch.hpp>
#include <functional>

#include "controller/ecs/rules.h"

namespace davit::controller::definition {
namespace {

using Request = v1::RegisterTaskDefinitionRequest;
using Container = v1::ContainerDefinition;

Container* AddContainer(const std::string& name, Request* request) {
  Container* container = request->add_container_definitions();
  container->set_name(name);
  container->set_image("busybox");
  container->set_memory(100);
  return container;
}

Request Valid() {
  Request request;
  request.set_family("web");
  AddContainer("app", &request);
  return request;
}

TEST_CASE("a small definition has no problems", "[rules]") { CHECK(FindProblems(Valid()).empty()); }

struct Row {
  const char* name;
  std::function<void(Request*, Container*)> spoil;
  const char* problem;
};

const Row kRows[] = {
    {"no family", [](Request* r, Container*) { r->clear_family(); },
     "family: Family should not be null or empty."},
    {"no name", [](Request*, Container* c) { c->clear_name(); },
     "containerDefinitions[0].name: Container.name should not be null or empty."},
    {"no image", [](Request*, Container* c) { c->clear_image(); },
     "containerDefinitions[0].image: Container.image should not be null or empty."},
    {"no memory", [](Request*, Container* c) { c->clear_memory(); },
     "containerDefinitions[0]: Invalid setting for container 'app'. At least one of 'memory' or "
     "'memoryReservation' "
     "must be specified."},
    {"little memory", [](Request*, Container* c) { c->set_memory(5); },
     "containerDefinitions[0].memory: must be in 6..67108864, is 5."},
    {"reservation above limit", [](Request*, Container* c) { c->set_memory_reservation(200); },
     "containerDefinitions[0].memory: must be greater than memoryReservation (200), is 100."},
    {"negative cpu", [](Request*, Container* c) { c->set_cpu(-1); },
     "containerDefinitions[0].cpu: must be in 0..196608, is -1."},
    {"network mode", [](Request* r, Container*) { r->set_network_mode("nat"); },
     "networkMode: must be one of bridge, host, none, awsvpc; is 'nat'."},
    {"task cpu", [](Request* r, Container*) { r->set_cpu("lots"); },
     "cpu: must be CPU units in 128..196608, or vCPUs (\"1 vCPU\"); is 'lots'."},
    {"cpu sum", [](Request* r, Container* c) { r->set_cpu("256"), c->set_cpu(300); },
     "cpu: the containers' cpu together (300) is greater than the task's (256)."},
    {"no essential", [](Request*, Container* c) { c->set_essential(false); },
     "containerDefinitions: at least one container must be essential."},
    {"container port", [](Request*, Container* c) { c->add_port_mappings(); },
     "containerDefinitions[0].portMappings[0].containerPort: must be given."},
    {"protocol",
     [](Request*, Container* c) {
       c->add_port_mappings()->set_container_port(1);
       c->mutable_port_mappings(0)->set_protocol("sctp");
     },
     "containerDefinitions[0].portMappings[0].protocol: must be one of tcp, udp; is 'sctp'."},
    {"host mode port",
     [](Request* r, Container* c) {
       r->set_network_mode("host");
       c->add_port_mappings()->set_container_port(80);
       c->mutable_port_mappings(0)->set_host_port(8080);
     },
     "containerDefinitions[0].portMappings[0].hostPort: must be empty or equal to containerPort in "
     "network mode host."},
    {"ports without network",
     [](Request* r, Container* c) {
       r->set_network_mode("none");
       c->add_port_mappings()->set_container_port(80);
     },
     "containerDefinitions[0].portMappings: must be empty in network mode none."},
    {"unknown volume",
     [](Request*, Container* c) {
       c->add_mount_points()->set_container_path("/x");
       c->mutable_mount_points(0)->set_source_volume("data");
     },
     "containerDefinitions[0].mountPoints[0].sourceVolume: Unknown volume 'data'."},
    {"secret and variable of one name",
     [](Request*, Container* c) {
       c->add_environment()->set_name("DB");
       c->add_secrets()->set_name("DB");
       c->mutable_secrets(0)->set_value_from("/db");
     },
     "containerDefinitions[0].secrets[0].name: must be unique and not shared with any new or "
     "existing environment variables, is 'DB'."},
    {"health check command",
     [](Request*, Container* c) { c->mutable_health_check()->add_command("true"); },
     "containerDefinitions[0].healthCheck.command: must begin with CMD or CMD-SHELL."},
    {"health check interval",
     [](Request*, Container* c) { c->mutable_health_check()->set_interval(4); },
     "containerDefinitions[0].healthCheck.interval: must be in 5..300, is 4."},
    {"readiness check",
     [](Request*, Container* c) {
       (*c->mutable_docker_labels())["davit.readiness-check"] = R"({"timeout": 1})";
     },
     "containerDefinitions[0].dockerLabels['davit.readiness-check'].timeout: must be in 2..60, is "
     "1."},
    {"ulimit", [](Request*, Container* c) { c->add_ulimits()->set_name("files"); },
     "containerDefinitions[0].ulimits[0].name: must be one of core, cpu, data, fsize, locks, "
     "memlock, msgqueue, nice, "
     "nofile, nproc, rss, rtprio, rttime, sigpending, stack; is 'files'."},
    {"no number of GPUs",
     [](Request*, Container* c) {
       c->add_resource_requirements()->set_type("GPU");
       c->mutable_resource_requirements(0)->set_value("0");
     },
     "containerDefinitions[0].resourceRequirements[0].value: must be a whole number of GPUs, at "
     "least 1; is '0'."},
    {"GPUs twice",
     [](Request*, Container* c) {
       c->add_resource_requirements()->set_type("GPU");
       c->add_resource_requirements()->set_type("GPU");
     },
     "containerDefinitions[0].resourceRequirements[1].type: GPU is given twice."},
    {"resource", [](Request*, Container* c) { c->add_resource_requirements()->set_type("FPGA"); },
     "containerDefinitions[0].resourceRequirements[0].type: must be one of GPU, "
     "InferenceAccelerator; is 'FPGA'."},
    {"restart policy",
     [](Request*, Container* c) { c->mutable_restart_policy()->set_restart_attempt_period(1); },
     "containerDefinitions[0].restartPolicy.enabled: must be given."},
    {"log driver",
     [](Request*, Container* c) { c->mutable_log_configuration()->set_log_driver("none"); },
     "containerDefinitions[0].logConfiguration.logDriver: must be one of json-file, syslog, "
     "journald, gelf, fluentd, "
     "awslogs, splunk, awsfirelens; is 'none'."},
    {"EFS",
     [](Request* r, Container*) {
       r->add_volumes()->set_name("data");
       r->mutable_volumes(0)->mutable_efs_volume_configuration()->set_file_system_id("fs-1");
     },
     "volumes[0].efsVolumeConfiguration: is not supported."},
    {"constraint",
     [](Request* r, Container*) { r->add_placement_constraints()->set_type("distinctInstance"); },
     "placementConstraints[0].type: constraint.type 'distinctInstance' is not supported in a task "
     "definition"},
    {"reserved tag", [](Request* r, Container*) { r->add_tags()->set_key("aws:x"); },
     "tags[0].key: must not begin with aws:."},
};

TEST_CASE("each problem names its member, in ECS's words where it has some", "[rules]") {
  for (const Row& row : kRows) {
    Request request = Valid();
    row.spoil(&request, request.mutable_container_definitions(0));
    const std::vector<std::string> problems = FindProblems(request);
    INFO(row.name);
    CHECK(std::find(problems.begin(), problems.end(), row.problem) != problems.end());
  }
}

TEST_CASE("a definition of more than 64 KiB of JSON is refused", "[rules]") {
  Request request = Valid();
  Container* container = request.mutable_container_definitions(0);
  for (int i = 0; i < 600; ++i) {
    container->add_environment()->set_name(absl::StrCat("N", i));
    container->mutable_environment(i)->set_value(std::string(70, 'x'));
  }
  CHECK(FindProblems(request).empty());
  for (int i = 0; i < 100; ++i) *container->add_environment() = container->environment(i);
  CHECK(request.ByteSizeLong() < 65536);
  const std::vector<std::string> problems = FindProblems(request);
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems[0], Catch::StartsWith("a task definition has at most 65536 bytes"));
}

TEST_CASE("all problems are found at once", "[rules]") {
  Request request;
  request.add_container_definitions();
  request.add_container_definitions()->set_cpu(-1);
  CHECK(FindProblems(request).size() == 8);
}

TEST_CASE("dependsOn must lead to other containers, fit them, and not go in a circle", "[rules]") {
  Request request = Valid();
  Container* app = request.mutable_container_definitions(0);
  Container* side = AddContainer("side", &request);
  v1::ContainerDependency* dependency = app->add_depends_on();
  dependency->set_container_name("side");
  dependency->set_condition("START");
  SECTION("in order") { CHECK(FindProblems(request).empty()); }
  SECTION("unknown") {
    dependency->set_container_name("nobody");
    CHECK(FindProblems(request) ==
          std::vector<std::string>{"containerDefinitions[0].dependsOn[0].containerName: must be "
                                   "another container of the task, is 'nobody'."});
  }
  SECTION("HEALTHY without a health check") {
    dependency->set_condition("HEALTHY");
    CHECK(FindProblems(request) ==
          std::vector<std::string>{"containerDefinitions[0].dependsOn[0].condition: is HEALTHY, "
                                   "but container 'side' has no healthCheck."});
  }
  SECTION("HEALTHY where the health check is switched off") {
    dependency->set_condition("HEALTHY");
    side->mutable_health_check()->add_command("NONE");
    CHECK(FindProblems(request).size() == 1);
  }
  SECTION("HEALTHY with a readiness check alone") {
    dependency->set_condition("HEALTHY");
    (*side->mutable_docker_labels())["davit.readiness-check"] = R"({"command": ["CMD", "/ready"]})";
    CHECK(FindProblems(request).empty());
  }
  SECTION("SUCCESS of an essential one") {
    dependency->set_condition("SUCCESS");
    CHECK(FindProblems(request).size() == 1);
    side->set_essential(false);
    CHECK(FindProblems(request).empty());
  }
  SECTION("a circle") {
    side->add_depends_on()->set_container_name("app");
    side->mutable_depends_on(0)->set_condition("START");
    CHECK(FindProblems(request) ==
          std::vector<std::string>{
              "containerDefinitions: dependsOn goes in a circle among app, side."});
  }
}

TEST_CASE("Fargate definitions must be of Fargate's sizes", "[rules]") {
  Request request = Valid();
  request.add_requires_compatibilities("FARGATE");
  CHECK(FindProblems(request).size() == 3);
  request.set_network_mode("awsvpc");
  request.set_cpu("256");
  request.set_memory("512");
  CHECK(FindProblems(request).empty());
  request.set_memory("4096");
  CHECK(FindProblems(request) ==
        std::vector<std::string>{
            "cpu: No Fargate configuration exists for given values: 256 CPU, 4096 memory."});
}

TEST_CASE("sizes are read in units, vCPUs, MiB and GB", "[rules]") {
  CHECK(ecs::ParseCpu("256") == 256);
  CHECK(ecs::ParseCpu("1 vCPU") == 1024);
  CHECK(ecs::ParseCpu(".5 vcpu") == 512);
  CHECK(ecs::ParseMemory("1GB") == 1024);
  CHECK(ecs::ParseMemory("0.5 GB") == 512);
  CHECK(ecs::ParseMemory(" 300 ") == 300);
  for (const char* wrong : {"", "x", "1 GiB", "-1", "0", "nan gb", "inf gb", "1e300 gb"}) {
    INFO(wrong);
    CHECK(ecs::ParseMemory(wrong) == std::nullopt);
  }
}

TEST_CASE("defaults are filled in as ECS answers them", "[rules]") {
  Request request = Valid();
  request.set_cpu("1 vCPU");
  request.set_memory("1 GB");
  Container* container = request.mutable_container_definitions(0);
  container->add_port_mappings()->set_container_port(80);
  container->mutable_health_check()->add_command("CMD-SHELL");
  container->mutable_health_check()->add_command("true");
  const v1::TaskDefinition definition = Normalize(request);
  CHECK(definition.network_mode() == "bridge");
  CHECK(definition.cpu() == "1024");
  CHECK(definition.memory() == "1024");
  const Container& filled = definition.container_definitions(0);
  CHECK(filled.essential());
  CHECK(filled.has_cpu());
  CHECK(filled.port_mappings(0).protocol() == "tcp");
  CHECK(filled.port_mappings(0).has_host_port());
  CHECK(filled.health_check().interval() == 30);
  CHECK(filled.health_check().retries() == 3);
  REQUIRE(definition.requires_attributes_size() == 2);
  CHECK(definition.requires_attributes(0).name() == "ecs.capability.container-health-check");
  CHECK(definition.requires_attributes(1).name() == "ecs.capability.task-cpu-mem-limit");
}

TEST_CASE("a readiness check stays as it is given, and needs an agent that knows it", "[rules]") {
  Request request = Valid();
  const std::string label = R"({"command": ["CMD", "/ready"]})";
  auto& labels = *request.mutable_container_definitions(0)->mutable_docker_labels();
  labels["davit.readiness-check"] = label;
  CHECK(FindProblems(request).empty());
  const v1::TaskDefinition definition = Normalize(request);
  CHECK(definition.container_definitions(0).docker_labels().at("davit.readiness-check") == label);
  REQUIRE(definition.requires_attributes_size() == 1);
  CHECK(definition.requires_attributes(0).name() == "davit.capability.readiness-check");
}

}  // namespace
}  // namespace davit::controller::definition
