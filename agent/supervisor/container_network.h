#ifndef DAVIT_AGENT_SUPERVISOR_CONTAINER_NETWORK_H_
#define DAVIT_AGENT_SUPERVISOR_CONTAINER_NETWORK_H_

#include <vector>

#include "agent/network/network.h"
#include "agent/task/task_snapshot.h"

namespace davit::supervisor {

// What a container's definition and its task's say of its network. Pure.

// Not on a task in host mode, whose containers have the host's network.
network::NetworkMode ModeOf(const v1::TaskDefinition& task,
                            const v1::ContainerDefinition& definition);
bool HasOwnNetwork(const v1::TaskDefinition& task, const v1::ContainerDefinition& definition);
std::vector<network::PortRequest> PortsOf(const v1::ContainerDefinition& definition);
// What is reported. In host mode a container's ports are the host's: there is nothing to map, but
// they are reported.
std::vector<task::NetworkBinding> BindingsOf(const v1::TaskDefinition& task,
                                             const v1::ContainerDefinition& definition,
                                             const network::Attachment& attachment);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_CONTAINER_NETWORK_H_
