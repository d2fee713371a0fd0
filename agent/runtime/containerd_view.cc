#include "agent/runtime/containerd_view.h"

#include <variant>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/file.h"

namespace davit::runtime {

using containerd::Mount;
using containerd::TaskInfo;
using containerd::TaskStatus;

std::vector<std::string> LayersOf(const std::vector<Mount>& mounts) {
  std::vector<std::string> layers;
  for (const Mount& mount : mounts) {
    if (mount.type != "overlay") {
      layers.push_back(mount.source);
      continue;
    }
    std::vector<std::string> lower;
    for (absl::string_view option : mount.options) {
      if (absl::ConsumePrefix(&option, "upperdir=")) layers.emplace_back(option);
      if (absl::ConsumePrefix(&option, "lowerdir=")) lower = absl::StrSplit(option, ':');
    }
    layers.insert(layers.end(), lower.begin(), lower.end());
  }
  return layers;
}

bool IsFolderThere(const std::vector<Mount>& mounts) {
  const std::vector<std::string> layers = LayersOf(mounts);
  return layers.empty() || FileExists(layers.front());
}

void SetState(const TaskInfo& task, ContainerInfo* info) {
  switch (task.status) {
    case TaskStatus::kCreated:
      info->state = ContainerState::kCreated;
      info->pid = task.pid;
      break;
    case TaskStatus::kStopped:
      info->state = ContainerState::kStopped;
      info->exit_code = task.exit_status;
      info->exited_at = task.exited_at;
      break;
    case TaskStatus::kUnknown:
      info->state = ContainerState::kUnknown;
      break;
    case TaskStatus::kRunning:
    case TaskStatus::kPaused:
    case TaskStatus::kPausing:
      info->state = ContainerState::kRunning;
      info->pid = task.pid;
      break;
  }
}

std::optional<RuntimeEvent> ToRuntimeEvent(const containerd::Event& event) {
  using Kind = RuntimeEvent::Kind;
  if (const auto* exited = std::get_if<containerd::TaskExited>(&event)) {
    // The end of an exec'd process is not the container's.
    if (exited->process_id != exited->container_id) return std::nullopt;
    return RuntimeEvent{Kind::kExited, exited->container_id, exited->exit_status,
                        exited->exited_at};
  }
  if (const auto* oom = std::get_if<containerd::TaskOutOfMemory>(&event)) {
    return RuntimeEvent{.kind = Kind::kOutOfMemory, .container_id = oom->container_id};
  }
  if (const auto* deleted = std::get_if<containerd::ContainerDeleted>(&event)) {
    return RuntimeEvent{.kind = Kind::kRemoved, .container_id = deleted->container_id};
  }
  const bool is_up = std::holds_alternative<containerd::Connected>(event);
  return RuntimeEvent{.kind = is_up ? Kind::kConnected : Kind::kDisconnected};
}

}  // namespace davit::runtime
