#ifndef DAVIT_AGENT_SPEC_PAUSE_H_
#define DAVIT_AGENT_SPEC_PAUSE_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/spec/oci_spec.h"
#include "base/definition/pause_name.h"

namespace davit::spec {

// Whether the containers share a namespace with pidMode or ipcMode "task". A single container
// shares nothing: the task's namespace is its own.
bool SharesTaskPid(const v1::TaskDefinition& task);
bool SharesTaskIpc(const v1::TaskDefinition& task);
inline bool NeedsPause(const v1::TaskDefinition& task) {
  return SharesTaskPid(task) || SharesTaskIpc(task);
}

// The size in MiB of the /dev/shm that goes with a shared IPC namespace: the largest
// sharedMemorySize of the containers, else the default.
int64_t SharedMemoryMib(const v1::TaskDefinition& task);

// The pause container's config.json, for an empty root file system. Runs HostFacts::pause_path in
// new PID, IPC, network, mount and UTS namespaces. It has no capabilities and the default system
// call filter, because a container that shares its PID namespace may be able to trace it.
// FailedPrecondition: the host has no pause program, or its seccomp profile is unusable.
absl::StatusOr<std::string> BuildPauseSpec(const std::string& task_arn,
                                           const std::string& cgroup_path, const HostFacts& host);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_PAUSE_H_
