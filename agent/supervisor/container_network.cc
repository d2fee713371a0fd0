#include "agent/supervisor/container_network.h"

namespace davit::supervisor {

network::NetworkMode ModeOf(const v1::TaskDefinition& task,
                            const v1::ContainerDefinition& definition) {
  return task.network_mode() == "none" || definition.disable_networking()
             ? network::NetworkMode::kNone
             : network::NetworkMode::kBridge;
}

bool HasOwnNetwork(const v1::TaskDefinition& task, const v1::ContainerDefinition& definition) {
  return task.network_mode() != "host" || definition.disable_networking();
}

std::vector<network::PortRequest> PortsOf(const v1::ContainerDefinition& definition) {
  std::vector<network::PortRequest> ports;
  for (const v1::PortMapping& mapping : definition.port_mappings()) {
    ports.push_back({mapping.container_port(), mapping.host_port(),
                     mapping.protocol() == "udp" ? "udp" : "tcp"});
  }
  return ports;
}

std::vector<task::NetworkBinding> BindingsOf(const v1::TaskDefinition& task,
                                             const v1::ContainerDefinition& definition,
                                             const network::Attachment& attachment) {
  std::vector<task::NetworkBinding> bindings;
  if (HasOwnNetwork(task, definition)) {
    for (const network::PortBinding& one : attachment.bindings) {
      bindings.push_back({one.host_ip, one.container_port, one.host_port, one.protocol});
    }
    return bindings;
  }
  for (const network::PortRequest& port : PortsOf(definition)) {
    bindings.push_back({"0.0.0.0", port.container_port, port.container_port, port.protocol});
  }
  return bindings;
}

}  // namespace davit::supervisor
