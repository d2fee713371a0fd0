#include "agent/supervisor/provisioning.h"

#include <algorithm>

#include "absl/strings/numbers.h"

namespace davit::supervisor {
namespace {

constexpr int kMinShares = 2;
constexpr int kMaxShares = 262144;
constexpr int64_t kMiB = 1 << 20;

const std::string& Overridden(bool has, const std::string& changed, const std::string& defined) {
  return has ? changed : defined;
}

}  // namespace

resource::CgroupLimits LimitsOf(const v1::Assignment& assignment, int pids_limit) {
  const v1::TaskDefinition& definition = assignment.task_definition();
  const v1::TaskOverride& overrides = assignment.overrides();
  resource::CgroupLimits limits;
  int cpu = 0;
  int memory = 0;
  if (absl::SimpleAtoi(Overridden(overrides.has_cpu(), overrides.cpu(), definition.cpu()), &cpu) && cpu > 0) {
    limits.cpu_quota = limits.cpu_period * cpu / 1024;
  } else {
    int64_t shares = 0;
    for (const v1::ContainerDefinition& container : definition.container_definitions()) {
      shares += std::max(container.cpu(), kMinShares);
    }
    limits.cpu_shares = std::clamp<int64_t>(shares, kMinShares, kMaxShares);
  }
  if (absl::SimpleAtoi(Overridden(overrides.has_memory(), overrides.memory(), definition.memory()), &memory) &&
      memory > 0) {
    limits.memory_bytes = memory * kMiB;
  }
  if (pids_limit > 0) limits.pids = pids_limit;
  return limits;
}

}  // namespace davit::supervisor
