#ifndef DAVIT_AGENT_RUNTIME_CONTAINERD_VIEW_H_
#define DAVIT_AGENT_RUNTIME_CONTAINERD_VIEW_H_

#include <optional>
#include <string>
#include <vector>

#include "agent/containerd/events.h"
#include "agent/containerd/snapshots.h"
#include "agent/containerd/tasks.h"
#include "agent/runtime/runtime.h"

// What containerd tells, in Runtime's words.

namespace davit::runtime {

// The host folders of a snapshot, uppermost first. Pure. Source: kernel,
// filesystems/overlayfs.rst; a snapshot without parent is a bind mount of its one folder.
std::vector<std::string> LayersOf(const std::vector<containerd::Mount>& mounts);

// Whether a snapshot has its folder: containerd 1.6 may clear it away right after it was made, when
// it makes up for a snapshot that it was killed over (see Snapshots::Prepare()). Looks at the disk.
bool IsFolderThere(const std::vector<containerd::Mount>& mounts);

// Fills in state, pid and end. Pure.
void SetState(const containerd::TaskInfo& task, ContainerInfo* info);

// nullopt: nothing that Runtime tells. Pure.
std::optional<RuntimeEvent> ToRuntimeEvent(const containerd::Event& event);

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_CONTAINERD_VIEW_H_
