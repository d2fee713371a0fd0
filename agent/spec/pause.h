#ifndef DAVIT_AGENT_SPEC_PAUSE_H_
#define DAVIT_AGENT_SPEC_PAUSE_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/spec/oci_spec.h"

namespace davit::spec {

// The container of the agent's own that holds the namespaces which the containers of a task share,
// as ECS's pause container does. No container of a definition can have this name: ECS's have no
// dots.
inline constexpr char kPauseContainer[] = "davit.pause";

// Whether pidMode or ipcMode "task" has the containers share a namespace. With one container the
// task's namespace is the container's own.
bool SharesTaskPid(const v1::TaskDefinition& task);
bool SharesTaskIpc(const v1::TaskDefinition& task);
inline bool NeedsPause(const v1::TaskDefinition& task) {
  return SharesTaskPid(task) || SharesTaskIpc(task);
}

// MiB of the /dev/shm that containers which share their IPC namespace share too: the largest that
// any of them asks for, else the default.
int64_t SharedMemoryMib(const v1::TaskDefinition& task);

// The pause container's config.json, for an empty root file system: HostFacts::pause_path in new
// PID, IPC, network, mount and UTS namespaces, without any capability and with the default system
// call filter, since a container that shares its PID namespace may be able to trace it.
// FailedPrecondition: the host has no pause program, or its seccomp profile cannot be used.
absl::StatusOr<std::string> BuildPauseSpec(const std::string& task_arn,
                                           const std::string& cgroup_path, const HostFacts& host);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_PAUSE_H_
