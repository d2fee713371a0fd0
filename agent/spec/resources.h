#ifndef DAVIT_AGENT_SPEC_RESOURCES_H_
#define DAVIT_AGENT_SPEC_RESOURCES_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// Converts CPU units to cpu.shares. 0 and 1 become the kernel's minimum of 2; the maximum is
// 262144. Source: `cpu` of the ECS data type ContainerDefinition.
int64_t CpuShares(int32_t cpu_units);

// A dockerLabel with a hard limit of CPU units (1024 = one core), even on an idle host. ECS's `cpu`
// is only a weight.
inline constexpr char kCpuLimitLabel[] = "davit.cpu-limit";

// The spec's `linux.resources` without devices: cpu, memory, pids. A container with a hard memory
// limit gets no swap, unless `maxSwap` allows some. As in ECS, `swappiness` counts only together
// with `maxSwap`. The task's own limits belong to the parent cgroup. InvalidArgument: a value out
// of ECS's range; a CPU limit that the kernel, the host's cores or the task's limit do not allow;
// memoryReservation above memory; maxSwap without memory, or on a host whose kernel does not
// account for swap.
absl::StatusOr<nlohmann::json> BuildResources(const SpecInput& input);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_RESOURCES_H_
