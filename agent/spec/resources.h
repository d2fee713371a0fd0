#ifndef DAVIT_AGENT_SPEC_RESOURCES_H_
#define DAVIT_AGENT_SPEC_RESOURCES_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// CPU units to cpu.shares: 0 and 1 are the kernel's minimum of 2, the maximum is 262144.
// Source: `cpu` of the ECS data type ContainerDefinition.
int64_t CpuShares(int32_t cpu_units);

// A dockerLabel with a number of CPU units, 1024 of which are a core: the container gets no more of
// CPU time, however idle the host is. ECS's `cpu` is a weight only.
inline constexpr char kCpuLimitLabel[] = "davit.cpu-limit";

// The spec's `linux.resources` but for devices: cpu, memory, pids. MiB become bytes. A container
// with a hard memory limit gets no swap beyond it unless `maxSwap` says how much; `swappiness`
// counts only together with `maxSwap`, as in ECS. The task's own limits are not here: they are the
// parent cgroup's.
// InvalidArgument: a value out of ECS's range; a CPU limit that the kernel, the host's cores or the
// task's own limit do not allow; memoryReservation above memory; maxSwap without
// memory, or on a host whose kernel does not limit swap.
absl::StatusOr<nlohmann::json> BuildResources(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_RESOURCES_H_
