#include "controller/capacity/host.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace davit::capacity {
namespace {

void Insert(const std::vector<int>& ports, std::vector<int>* taken) {
  for (const int port : ports)
    taken->insert(std::lower_bound(taken->begin(), taken->end(), port), port);
}

// One occurrence each: a reserved port of the host stays taken when a task that also names it ends.
void Erase(const std::vector<int>& ports, std::vector<int>* taken) {
  for (const int port : ports) {
    const auto found = std::lower_bound(taken->begin(), taken->end(), port);
    if (found != taken->end() && *found == port) taken->erase(found);
  }
}

std::vector<int> PortsFrom(const v1::Resource& resource) {
  std::vector<int> ports;
  for (const std::string& text : resource.string_set_value()) {
    int port = 0;
    if (absl::SimpleAtoi(text, &port)) ports.push_back(port);
  }
  std::sort(ports.begin(), ports.end());
  return ports;
}

}  // namespace

bool IsCapability(absl::string_view attribute) {
  return absl::StartsWith(attribute, "ecs.capability.") ||
         absl::StartsWith(attribute, "com.amazonaws.ecs.capability.");
}

void Host::Reserve(const Reservation& needs) {
  free_cpu_units -= needs.cpu_units;
  free_memory_mib -= needs.memory_mib;
  ++task_count;
  Insert(needs.tcp_ports, &tcp_ports);
  Insert(needs.udp_ports, &udp_ports);
}

void Host::Release(const Reservation& needs) {
  free_cpu_units += needs.cpu_units;
  free_memory_mib += needs.memory_mib;
  --task_count;
  Erase(needs.tcp_ports, &tcp_ports);
  Erase(needs.udp_ports, &udp_ports);
}

Host HostFrom(const std::string& arn, const v1::ContainerInstance& instance) {
  Host host;
  host.arn = arn;
  host.is_active = instance.status() == "ACTIVE";
  for (const v1::Resource& resource : instance.registered_resources()) {
    if (resource.name() == "CPU") host.cpu_units = resource.integer_value();
    if (resource.name() == "MEMORY") host.memory_mib = resource.integer_value();
    if (resource.name() == "PORTS") host.tcp_ports = PortsFrom(resource);
    if (resource.name() == "PORTS_UDP") host.udp_ports = PortsFrom(resource);
  }
  host.free_cpu_units = host.cpu_units;
  host.free_memory_mib = host.memory_mib;
  for (const v1::Attribute& attribute : instance.attributes()) {
    host.attributes[attribute.name()] = attribute.value();
    host.states_capabilities = host.states_capabilities || IsCapability(attribute.name());
  }
  return host;
}

}  // namespace davit::capacity
