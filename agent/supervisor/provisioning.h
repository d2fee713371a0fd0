#ifndef DAVIT_AGENT_SUPERVISOR_PROVISIONING_H_
#define DAVIT_AGENT_SUPERVISOR_PROVISIONING_H_

#include <string>
#include <vector>

#include "agent/resource/task_cgroups.h"
#include "agent/runtime/runtime.h"
#include "agent/spec/oci_spec.h"
#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

// The limits of a task's own cgroup, by ECS's rules. Task cpu is a hard quota; without it the
// task's weight is the sum of its containers' weights (each at least 2). Task memory is a hard
// limit. `pids_limit` 0: none. Pure.
resource::CgroupLimits LimitsOf(const v1::Assignment& assignment, int pids_limit);

// The task's `cpu`, from the override or else the definition; 0: none.
int TaskCpuUnits(const v1::Assignment& assignment);

// Fills empty volumes of the task and the image with the image's content at their paths, as Docker
// does. Sets owner and mode too, so that an unprivileged program can write to them. Does not change
// folders of the host. `place` has the volumes' folders. Blocks on the disk.
absl::Status FillNewVolumes(const v1::TaskDefinition& task,
                            const v1::ContainerDefinition& container, const runtime::Rootfs& rootfs,
                            const spec::ContainerPlace& place);

// The GPUs that the controller has assigned to one container.
std::vector<std::string> GpuIdsOf(const v1::Assignment& assignment, const std::string& container);

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_PROVISIONING_H_
