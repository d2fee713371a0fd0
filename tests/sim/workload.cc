#include "tests/sim/workload.h"

#include <string>

namespace davit::sim {
namespace {

v1::ContainerDefinition MakeContainer(const std::string& name, const std::string& image) {
  v1::ContainerDefinition container;
  container.set_name(name);
  container.set_image("example.com/" + image + ":1");
  container.set_memory(50);
  container.set_stop_timeout(10);
  container.add_command("/bin/program");
  return container;
}

v1::RegisterTaskDefinitionRequest MakeDefinition(const std::string& family) {
  v1::RegisterTaskDefinitionRequest request;
  request.set_family(family);
  *request.add_container_definitions() = MakeContainer("main", family);
  return request;
}

}  // namespace

std::vector<v1::RegisterTaskDefinitionRequest> Definitions() {
  v1::RegisterTaskDefinitionRequest web = MakeDefinition("web");
  web.mutable_container_definitions(0)->add_port_mappings()->set_container_port(80);
  v1::RegisterTaskDefinitionRequest pair = MakeDefinition("pair");
  *pair.add_container_definitions() = MakeContainer("side", "job");
  pair.mutable_container_definitions(1)->set_essential(false);
  v1::RegisterTaskDefinitionRequest hosted = MakeDefinition("hosted");
  hosted.set_network_mode("host");
  return {web, MakeDefinition("job"), pair, hosted, MakeDefinition("missing")};
}

}  // namespace davit::sim
