#include "controller/capacity/host.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace davit::controller::capacity {
namespace {

template <typename Value>
void Insert(const std::vector<Value>& values, std::vector<Value>* taken) {
  for (const Value& value : values)
    taken->insert(std::lower_bound(taken->begin(), taken->end(), value), value);
}

// One occurrence each: a reserved port of the host stays taken when a task that also names it ends.
template <typename Value>
void Erase(const std::vector<Value>& values, std::vector<Value>* taken) {
  for (const Value& value : values) {
    const auto found = std::lower_bound(taken->begin(), taken->end(), value);
    if (found != taken->end() && *found == value) taken->erase(found);
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

// Each id once, even if an agent repeats one: no GPU is given to two containers.
std::vector<std::string> IdsFrom(const v1::Resource& resource) {
  const std::set<std::string> ids(resource.string_set_value().begin(),
                                  resource.string_set_value().end());
  return {ids.begin(), ids.end()};
}

}  // namespace

std::shared_ptr<const Traits> TraitsPool::Intern(
    const google::protobuf::RepeatedPtrField<v1::Attribute>& attributes) {
  Traits traits;
  for (const v1::Attribute& attribute : attributes) {
    traits.attributes[attribute.name()] = attribute.value();
    traits.states_capabilities = traits.states_capabilities || IsCapability(attribute.name());
  }
  // Names and values contain no zero byte.
  std::string key;
  for (const auto& [name, value] : traits.attributes) key.append(name + '\0' + value + '\0');
  std::weak_ptr<const Traits>& known = pool_[key];
  std::shared_ptr<const Traits> shared = known.lock();
  if (shared == nullptr) {
    shared = std::make_shared<const Traits>(std::move(traits));
    known = shared;
  }
  return shared;
}

bool IsCapability(absl::string_view attribute) {
  return absl::StartsWith(attribute, "ecs.capability.") ||
         absl::StartsWith(attribute, "com.amazonaws.ecs.capability.");
}

void Host::Reserve(const Reservation& needs) {
  free_cpu_units -= needs.cpu_units;
  free_memory_mib -= needs.memory_mib;
  ++task_count;
  Insert(needs.tcp_ports, &taken_tcp_ports);
  Insert(needs.udp_ports, &taken_udp_ports);
  Insert(needs.gpu_ids, &taken_gpus);
}

void Host::Release(const Reservation& needs) {
  free_cpu_units += needs.cpu_units;
  free_memory_mib += needs.memory_mib;
  --task_count;
  Erase(needs.tcp_ports, &taken_tcp_ports);
  Erase(needs.udp_ports, &taken_udp_ports);
  Erase(needs.gpu_ids, &taken_gpus);
}

std::vector<std::string> Host::FreeGpus() const {
  std::vector<std::string> free;
  std::set_difference(gpus.begin(), gpus.end(), taken_gpus.begin(), taken_gpus.end(),
                      std::back_inserter(free));
  return free;
}

void SetRegistered(const google::protobuf::RepeatedPtrField<v1::Resource>& resources, Host* host) {
  host->cpu_units = 0;
  host->memory_mib = 0;
  host->task_count = 0;
  for (auto* list : {&host->taken_tcp_ports, &host->taken_udp_ports}) list->clear();
  for (auto* list : {&host->gpus, &host->taken_gpus}) list->clear();
  for (const v1::Resource& resource : resources) {
    if (resource.name() == "CPU") host->cpu_units = resource.integer_value();
    if (resource.name() == "MEMORY") host->memory_mib = resource.integer_value();
    if (resource.name() == "PORTS") host->taken_tcp_ports = PortsFrom(resource);
    if (resource.name() == "PORTS_UDP") host->taken_udp_ports = PortsFrom(resource);
    if (resource.name() == "GPU") host->gpus = IdsFrom(resource);
  }
  host->free_cpu_units = host->cpu_units;
  host->free_memory_mib = host->memory_mib;
}

}  // namespace davit::controller::capacity
