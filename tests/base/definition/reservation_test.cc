#include "base/definition/reservation.h"

#include <catch2/catch.hpp>

namespace davit {
namespace {

v1::ContainerDefinition* AddContainer(const std::string& name, int cpu,
                                      v1::TaskDefinition* definition) {
  v1::ContainerDefinition* container = definition->add_container_definitions();
  container->set_name(name);
  container->set_cpu(cpu);
  return container;
}

TEST_CASE("a task without its own sizes reserves the sum of its containers", "[definition]") {
  v1::TaskDefinition definition;
  AddContainer("a", 100, &definition)->set_memory(300);
  v1::ContainerDefinition* soft = AddContainer("b", 28, &definition);
  soft->set_memory(400);
  soft->set_memory_reservation(50);
  const Reservation needs = ReservationOf(definition, {});
  CHECK(needs.cpu_units == 128);
  CHECK(needs.memory_mib == 350);
}

TEST_CASE("the task's own sizes win over its containers, and overrides win over both",
          "[definition]") {
  v1::TaskDefinition definition;
  AddContainer("a", 100, &definition)->set_memory(300);
  v1::TaskOverride overrides;
  v1::ContainerOverride* replaced = overrides.add_container_overrides();
  replaced->set_name("a");
  replaced->set_memory(10);
  replaced->set_cpu(1);
  CHECK(ReservationOf(definition, overrides).memory_mib == 10);
  CHECK(ReservationOf(definition, overrides).cpu_units == 1);
  definition.set_memory("1024");
  definition.set_cpu("512");
  CHECK(ReservationOf(definition, overrides).memory_mib == 1024);
  CHECK(ReservationOf(definition, overrides).cpu_units == 512);
  overrides.set_memory("2048");
  CHECK(ReservationOf(definition, overrides).memory_mib == 2048);
}

TEST_CASE("the network mode decides which host ports are reserved", "[definition]") {
  v1::TaskDefinition definition;
  v1::ContainerDefinition* container = AddContainer("a", 0, &definition);
  v1::PortMapping* dynamic = container->add_port_mappings();
  dynamic->set_container_port(80);
  v1::PortMapping* fixed = container->add_port_mappings();
  fixed->set_container_port(53);
  fixed->set_host_port(5353);
  fixed->set_protocol("udp");
  SECTION("bridge: those that are given") {
    definition.set_network_mode("bridge");
    CHECK(ReservationOf(definition, {}).tcp_ports.empty());
    CHECK(ReservationOf(definition, {}).udp_ports == std::vector<int>{5353});
  }
  SECTION("host: the container's are the host's") {
    definition.set_network_mode("host");
    CHECK(ReservationOf(definition, {}).tcp_ports == std::vector<int>{80});
  }
  SECTION("awsvpc: none") {
    definition.set_network_mode("awsvpc");
    CHECK(ReservationOf(definition, {}).udp_ports.empty());
  }
}

void AskFor(const std::string& gpus,
            google::protobuf::RepeatedPtrField<v1::ResourceRequirement>* list) {
  v1::ResourceRequirement* requirement = list->Add();
  requirement->set_type("GPU");
  requirement->set_value(gpus);
}

TEST_CASE("a task reserves its containers' GPUs; an override replaces the definition's",
          "[definition]") {
  v1::TaskDefinition definition;
  AskFor("2", AddContainer("a", 0, &definition)->mutable_resource_requirements());
  AskFor("1", AddContainer("b", 0, &definition)->mutable_resource_requirements());
  AddContainer("c", 0, &definition);
  CHECK(ReservationOf(definition, {}).gpus == 3);
  v1::TaskOverride overrides;
  v1::ContainerOverride* replaced = overrides.add_container_overrides();
  replaced->set_name("a");
  CHECK(ReservationOf(definition, overrides).gpus == 3);
  AskFor("4", replaced->mutable_resource_requirements());
  CHECK(ReservationOf(definition, overrides).gpus == 5);
}

}  // namespace
}  // namespace davit
