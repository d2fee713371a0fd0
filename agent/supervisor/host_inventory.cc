#include "agent/supervisor/host_inventory.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "agent/spec/pause.h"
#include "agent/task/container_id.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

constexpr absl::string_view kLeasePrefix = "davit-";

std::string LabelOf(const runtime::ContainerInfo& info, const std::string& name) {
  const auto found = info.labels.find(name);
  return found == info.labels.end() ? "" : found->second;
}

}  // namespace

absl::StatusOr<HostInventory> TakeInventory(const std::vector<runtime::ContainerInfo>& containers,
                                            const HostParts& host) {
  HostInventory inventory;
  std::string task_id;
  std::string container;
  // Processes of pause containers. A task with no other process does not run.
  std::set<int> pauses;
  for (const runtime::ContainerInfo& info : containers) {
    const std::string arn = LabelOf(info, "davit.task-arn");
    if (arn.empty() || !task::SplitContainerId(info.id, &task_id, &container)) continue;
    ++inventory.containers;
    HostTask& task = inventory.tasks[task_id];
    task.arn = arn;
    task.agent = LabelOf(info, "davit.agent");
    task.cluster = LabelOf(info, "davit.cluster");
    const std::string name = LabelOf(info, "davit.container-name");
    task.containers.push_back(name.empty() ? container : name);
    const bool may_run = info.state == runtime::ContainerState::kRunning ||
                         info.state == runtime::ContainerState::kUnknown;
    if (may_run && name == kPauseContainer) pauses.insert(info.pid);
    task.runs = task.runs || (may_run && name != kPauseContainer);
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> leases, host.runtime->ListLeases());
  for (absl::string_view lease : leases) {
    if (!absl::StartsWith(lease, kLeasePrefix) ||
        !task::IsTaskId(lease.substr(kLeasePrefix.size())))
      continue;
    ++inventory.leases;
    inventory.tasks[std::string(lease.substr(kLeasePrefix.size()))];
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> groups, host.cgroups->List());
  for (const std::string& group : groups) {
    if (!task::IsTaskId(group)) continue;
    ++inventory.cgroups;
    HostTask& task = inventory.tasks[group];
    const auto processes = host.cgroups->Processes(host.cgroups->TaskPath(group));
    task.runs = task.runs || !processes.ok() ||
                std::any_of(processes->begin(), processes->end(),
                            [&pauses](int pid) { return pauses.count(pid) == 0; });
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> networks, host.network->List());
  for (const std::string& attached : networks) {
    if (!task::SplitContainerId(attached, &task_id, &container)) continue;
    ++inventory.networks;
    std::vector<std::string>& names = inventory.tasks[task_id].containers;
    const bool is_listed = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return task::ContainerIdOf(task_id, name) == attached;
    });
    if (!is_listed) names.push_back(container);
  }
  for (const std::string& folder : host.files->TaskFolders()) {
    if (task::IsTaskId(folder)) inventory.tasks[folder];
  }
  for (const std::string& folder : host.files->LogFolders()) {
    if (task::IsTaskId(folder)) inventory.logs.insert(folder);
  }
  return inventory;
}

}  // namespace davit::supervisor
