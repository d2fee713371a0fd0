#ifndef DAVIT_AGENT_SUPERVISOR_PROVISIONING_H_
#define DAVIT_AGENT_SUPERVISOR_PROVISIONING_H_

#include <string>
#include <vector>

#include "agent/resource/task_cgroups.h"
#include "agent/runtime/runtime.h"
#include "agent/spec/oci_spec.h"
#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

// The limits of a task's own cgroup, by ECS's rules: task cpu is a hard quota; without it the
// task's weight is the sum of its containers' (each at least 2); task memory is a hard limit.
// `pids_limit` 0: none. Pure.
resource::CgroupLimits LimitsOf(const v1::Assignment& assignment, int pids_limit);

// `cpu` of the task, override before definition; 0: none.
int TaskCpuUnits(const v1::Assignment& assignment);

// Gives empty volumes of the task and of the image what the image has at their place, as Docker
// does for new volumes: owner and mode too, so that a program without root's rights can write to
// them. Folders of the host stay as they are. `place` has the volumes' folders. Blocks on the disk.
absl::Status FillNewVolumes(const v1::TaskDefinition& task,
                            const v1::ContainerDefinition& container, const runtime::Rootfs& rootfs,
                            const spec::ContainerPlace& place);

// The GPUs that the controller has given to one container.
std::vector<std::string> GpuIdsOf(const v1::Assignment& assignment, const std::string& container);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_PROVISIONING_H_
