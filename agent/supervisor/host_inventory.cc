#include "agent/supervisor/host_inventory.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

constexpr size_t kTaskIdLength = 32;
constexpr absl::string_view kLeasePrefix = "davit-";

bool IsTaskId(absl::string_view text) {
  return text.size() == kTaskIdLength &&
         std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

std::string LabelOf(const runtime::ContainerInfo& info, const std::string& name) {
  const auto found = info.labels.find(name);
  return found == info.labels.end() ? "" : found->second;
}

}  // namespace

bool SplitContainerId(absl::string_view container_id, std::string* task_id,
                      std::string* container) {
  if (container_id.size() <= kTaskIdLength + 1 || container_id[kTaskIdLength] != '-') return false;
  if (!IsTaskId(container_id.substr(0, kTaskIdLength))) return false;
  *task_id = std::string(container_id.substr(0, kTaskIdLength));
  *container = std::string(container_id.substr(kTaskIdLength + 1));
  return true;
}

absl::StatusOr<HostInventory> TakeInventory(runtime::Runtime* runtime,
                                            resource::TaskCgroups* cgroups,
                                            network::Network* network) {
  HostInventory inventory;
  std::string task_id;
  std::string container;
  ASSIGN_OR_RETURN(const std::vector<runtime::ContainerInfo> infos, runtime->List());
  for (const runtime::ContainerInfo& info : infos) {
    const std::string arn = LabelOf(info, "davit.task-arn");
    if (arn.empty() || !SplitContainerId(info.id, &task_id, &container)) continue;
    ++inventory.containers;
    HostTask& task = inventory.tasks[task_id];
    task.arn = arn;
    task.agent = LabelOf(info, "davit.agent");
    task.cluster = LabelOf(info, "davit.cluster");
    task.containers.push_back(container);
    task.runs = task.runs || info.state == runtime::ContainerState::kRunning;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> leases, runtime->ListLeases());
  for (absl::string_view lease : leases) {
    if (!absl::StartsWith(lease, kLeasePrefix) || !IsTaskId(lease.substr(kLeasePrefix.size())))
      continue;
    ++inventory.leases;
    inventory.tasks[std::string(lease.substr(kLeasePrefix.size()))];
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> groups, cgroups->List());
  for (const std::string& group : groups) {
    if (!IsTaskId(group)) continue;
    ++inventory.cgroups;
    HostTask& task = inventory.tasks[group];
    const auto processes = cgroups->Processes(cgroups->TaskPath(group));
    task.runs = task.runs || !processes.ok() || !processes->empty();
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> networks, network->List());
  for (const std::string& attached : networks) {
    if (!SplitContainerId(attached, &task_id, &container)) continue;
    ++inventory.networks;
    std::vector<std::string>& containers = inventory.tasks[task_id].containers;
    if (std::find(containers.begin(), containers.end(), container) == containers.end())
      containers.push_back(container);
  }
  return inventory;
}

}  // namespace davit::supervisor
