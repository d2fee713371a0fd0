#ifndef DAVIT_AGENT_SUPERVISOR_HOST_INVENTORY_H_
#define DAVIT_AGENT_SUPERVISOR_HOST_INVENTORY_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/network/network.h"
#include "agent/resource/task_cgroups.h"
#include "agent/runtime/runtime.h"
#include "agent/supervisor/task_files.h"

namespace davit::supervisor {

// What the host holds by one task's id, whoever knows of the task.
struct HostTask {
  std::string arn;    // from the containers' labels; empty: no container is left
  std::string agent;  // "davit.agent" of its containers
  std::string cluster;
  std::vector<std::string> containers;  // names
  bool runs = false;                    // a process of it is alive
};

struct HostInventory {
  std::map<std::string, HostTask> tasks;  // by task id
  std::set<std::string> logs;             // ids of tasks that have some
  // How many there are, for gauges.
  size_t containers = 0;
  size_t leases = 0;
  size_t cgroups = 0;
  size_t networks = 0;
};

// Where what belongs to tasks can be. All outlive who looks.
struct HostParts {
  runtime::Runtime* runtime;
  resource::TaskCgroups* cgroups;
  network::Network* network;
  const TaskFiles* files;
};

// What carries Davit's names and labels among the containers that the runtime has just listed, and
// in the other parts of the host; everything else is as if it were not there. Blocks: use from the
// `inspection` pool. Unavailable: one of the parts cannot be asked now.
absl::StatusOr<HostInventory> TakeInventory(const std::vector<runtime::ContainerInfo>& containers,
                                            const HostParts& host);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_HOST_INVENTORY_H_
