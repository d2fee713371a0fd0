#include "tests/sim/workload.h"

#include <algorithm>
#include <string>

namespace davit::sim {
namespace {

v1::ContainerDefinition MakeContainer(const std::string& name, const std::string& image) {
  v1::ContainerDefinition container;
  container.set_name(name);
  container.set_image("example.com/" + image + ":1");
  container.set_essential(true);
  container.set_memory(50);
  container.set_stop_timeout(10);
  container.add_command("/bin/program");
  return container;
}

void AddHealthCheck(v1::ContainerDefinition* container) {
  v1::HealthCheck* check = container->mutable_health_check();
  check->add_command("CMD");
  check->add_command("/bin/check");
  check->set_interval(10);
  check->set_retries(2);
  check->set_start_period(20);
}

void DependOn(const std::string& name, const std::string& condition,
              v1::ContainerDefinition* container) {
  v1::ContainerDependency* dependency = container->add_depends_on();
  dependency->set_container_name(name);
  dependency->set_condition(condition);
}

v1::RegisterTaskDefinitionRequest MakeDefinition(const std::string& family) {
  v1::RegisterTaskDefinitionRequest request;
  request.set_family(family);
  *request.add_container_definitions() = MakeContainer("main", family);
  return request;
}

v1::RegisterTaskDefinitionRequest MakeWeb() {
  v1::RegisterTaskDefinitionRequest web = MakeDefinition("web");
  web.mutable_container_definitions(0)->add_port_mappings()->set_container_port(80);
  return web;
}

v1::RegisterTaskDefinitionRequest MakePair() {
  v1::RegisterTaskDefinitionRequest pair = MakeDefinition("pair");
  *pair.add_container_definitions() = MakeContainer("side", "job");
  pair.mutable_container_definitions(1)->set_essential(false);
  return pair;
}

v1::RegisterTaskDefinitionRequest MakeHosted() {
  v1::RegisterTaskDefinitionRequest hosted = MakeDefinition("hosted");
  hosted.set_network_mode("host");
  return hosted;
}

v1::RegisterTaskDefinitionRequest MakePhoenix() {
  v1::RegisterTaskDefinitionRequest phoenix = MakeDefinition("phoenix");
  v1::ContainerDefinition* const main = phoenix.mutable_container_definitions(0);
  v1::ContainerRestartPolicy* const policy = main->mutable_restart_policy();
  policy->set_enabled(true);
  policy->add_ignored_exit_codes(0);
  policy->add_ignored_exit_codes(42);
  policy->set_restart_attempt_period(60);
  AddHealthCheck(main);
  return phoenix;
}

v1::RegisterTaskDefinitionRequest MakeChain() {
  v1::RegisterTaskDefinitionRequest chain = MakeDefinition("chain");
  v1::ContainerDefinition setup = MakeContainer("setup", "good-job");
  v1::ContainerDefinition migrate = MakeContainer("migrate", "job");
  v1::ContainerDefinition database = MakeContainer("database", "database");
  setup.set_essential(false);
  migrate.set_essential(false);
  migrate.set_start_timeout(300);
  database.set_start_timeout(120);
  AddHealthCheck(&database);
  DependOn("database", "HEALTHY", &migrate);
  v1::ContainerDefinition* const main = chain.mutable_container_definitions(0);
  DependOn("setup", "SUCCESS", main);
  DependOn("migrate", "COMPLETE", main);
  DependOn("database", "START", main);
  for (const v1::ContainerDefinition* one : {&setup, &migrate, &database}) {
    *chain.add_container_definitions() = *one;
  }
  return chain;
}

}  // namespace

std::vector<v1::RegisterTaskDefinitionRequest> Definitions() {
  return {MakeWeb(),    MakeDefinition("job"),    MakePair(), MakePhoenix(), MakeChain(),
          MakeHosted(), MakeDefinition("missing")};
}

bool IsIgnored(const v1::ContainerRestartPolicy& policy, int exit_code) {
  return std::find(policy.ignored_exit_codes().begin(), policy.ignored_exit_codes().end(),
                   exit_code) != policy.ignored_exit_codes().end();
}

}  // namespace davit::sim
