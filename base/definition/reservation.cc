#include "base/definition/reservation.h"

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "base/definition/overrides.h"

namespace davit {
namespace {

int64_t CpuOf(const v1::ContainerDefinition& container, const v1::ContainerOverride& replaced) {
  return replaced.has_cpu() ? replaced.cpu() : container.cpu();
}

int64_t MemoryOf(const v1::ContainerDefinition& container, const v1::ContainerOverride& replaced) {
  if (replaced.has_memory_reservation()) return replaced.memory_reservation();
  if (container.has_memory_reservation()) return container.memory_reservation();
  return replaced.has_memory() ? replaced.memory() : container.memory();
}

void AddPorts(const v1::ContainerDefinition& container, bool is_host_mode, Reservation* needs) {
  for (const v1::PortMapping& mapping : container.port_mappings()) {
    // In host mode the container's port is the host's, whether hostPort says so or not.
    const int port =
        mapping.host_port() == 0 && is_host_mode ? mapping.container_port() : mapping.host_port();
    if (port == 0) continue;
    (mapping.protocol() == "udp" ? needs->udp_ports : needs->tcp_ports).push_back(port);
  }
}

void SortUnique(std::vector<int>* ports) {
  std::sort(ports->begin(), ports->end());
  ports->erase(std::unique(ports->begin(), ports->end()), ports->end());
}

}  // namespace

Reservation ReservationOf(const v1::TaskDefinition& definition, const v1::TaskOverride& overrides) {
  Reservation needs;
  const bool has_host_ports =
      definition.network_mode() != "awsvpc" && definition.network_mode() != "none";
  for (const v1::ContainerDefinition& container : definition.container_definitions()) {
    const v1::ContainerOverride& replaced = OverrideOf(overrides, container.name());
    needs.cpu_units += CpuOf(container, replaced);
    needs.memory_mib += MemoryOf(container, replaced);
    needs.gpus += GpusOf(container, replaced);
    if (has_host_ports) AddPorts(container, definition.network_mode() == "host", &needs);
  }
  int64_t whole_task = 0;
  const std::string& cpu = overrides.has_cpu() ? overrides.cpu() : definition.cpu();
  if (absl::SimpleAtoi(cpu, &whole_task)) needs.cpu_units = whole_task;
  const std::string& memory = overrides.has_memory() ? overrides.memory() : definition.memory();
  if (absl::SimpleAtoi(memory, &whole_task)) needs.memory_mib = whole_task;
  SortUnique(&needs.tcp_ports);
  SortUnique(&needs.udp_ports);
  return needs;
}

int GpusOf(const v1::ContainerDefinition& container, const v1::ContainerOverride& replaced) {
  const bool is_replaced = !replaced.resource_requirements().empty();
  int gpus = 0;
  for (const v1::ResourceRequirement& requirement :
       is_replaced ? replaced.resource_requirements() : container.resource_requirements()) {
    int count = 0;
    if (requirement.type() == "GPU" && absl::SimpleAtoi(requirement.value(), &count)) gpus += count;
  }
  return gpus;
}

}  // namespace davit
