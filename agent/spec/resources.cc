#include "agent/spec/resources.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::spec {
namespace {

constexpr int64_t kMebibyte = 1024 * 1024;
constexpr int64_t kMinShares = 2;
constexpr int64_t kMaxShares = 262144;
constexpr int64_t kUnitsPerCore = 1024;
constexpr int64_t kPeriodMicroseconds = 100'000;  // the kernel's default, like the tasks' quotas
constexpr int64_t kLeastCpuLimit = 11;  // the kernel's smallest quota is 1 ms, 10.24 units
constexpr int32_t kMinMemoryMib = 6;    // ECS's and Docker's minimum

struct MemoryMib {
  std::optional<int32_t> hard;
  std::optional<int32_t> soft;
};

absl::Status CheckAtLeastMinimum(const std::optional<int32_t>& mib, absl::string_view member) {
  if (!mib.has_value() || *mib >= kMinMemoryMib) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(member, ": ", *mib, " MiB is below the minimum of ", kMinMemoryMib, " MiB"));
}

absl::StatusOr<MemoryMib> ResolveMemory(const SpecInput& input) {
  MemoryMib memory;
  if (input.container.has_memory()) memory.hard = input.container.memory();
  if (input.overrides.has_memory()) memory.hard = input.overrides.memory();
  if (input.container.has_memory_reservation()) memory.soft = input.container.memory_reservation();
  if (input.overrides.has_memory_reservation()) memory.soft = input.overrides.memory_reservation();
  RETURN_IF_ERROR(CheckAtLeastMinimum(memory.hard, "memory"));
  RETURN_IF_ERROR(CheckAtLeastMinimum(memory.soft, "memoryReservation"));
  if (memory.hard.has_value() && memory.soft.has_value() && *memory.soft > *memory.hard) {
    return absl::InvalidArgumentError(absl::StrCat("memoryReservation: ", *memory.soft,
                                                   " MiB is above memory, ", *memory.hard, " MiB"));
  }
  return memory;
}

absl::Status CheckSwap(const SpecInput& input, const MemoryMib& memory) {
  const v1::LinuxParameters& parameters = input.container.linux_parameters();
  if (parameters.has_swappiness() &&
      (parameters.swappiness() < 0 || parameters.swappiness() > 100)) {
    return absl::InvalidArgumentError(
        absl::StrCat("linuxParameters.swappiness: ", parameters.swappiness(), " is not in 0..100"));
  }
  if (!parameters.has_max_swap()) return absl::OkStatus();
  if (parameters.max_swap() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("linuxParameters.maxSwap: ", parameters.max_swap(), " MiB is below 0"));
  }
  if (!memory.hard.has_value()) {
    return absl::InvalidArgumentError(
        "linuxParameters.maxSwap: requires `memory`, because it is added to that limit");
  }
  if (!input.host.can_limit_swap) {
    return absl::InvalidArgumentError(
        "linuxParameters.maxSwap: the host's kernel does not account for swap (boot it with "
        "swapaccount=1)");
  }
  return absl::OkStatus();
}

absl::StatusOr<nlohmann::json> BuildMemory(const SpecInput& input) {
  ASSIGN_OR_RETURN(const MemoryMib mib, ResolveMemory(input));
  RETURN_IF_ERROR(CheckSwap(input, mib));
  const v1::LinuxParameters& parameters = input.container.linux_parameters();
  nlohmann::json memory = nlohmann::json::object();
  if (mib.soft.has_value()) memory["reservation"] = *mib.soft * kMebibyte;
  if (mib.hard.has_value()) {
    memory["limit"] = *mib.hard * kMebibyte;
    // OCI's "swap" is memory and swap together.
    if (input.host.can_limit_swap) {
      memory["swap"] = (int64_t{*mib.hard} + parameters.max_swap()) * kMebibyte;
    }
  }
  // cgroup v2 has no swappiness.
  if (parameters.has_max_swap() && parameters.has_swappiness() && !input.host.cgroup_v2) {
    memory["swappiness"] = parameters.swappiness();
  }
  return memory;
}

// Not in ECS, which limits CPU time only for whole tasks.
absl::Status AddCpuLimit(const SpecInput& input, nlohmann::json* cpu) {
  const auto label = input.container.docker_labels().find(kCpuLimitLabel);
  if (label == input.container.docker_labels().end()) return absl::OkStatus();
  const int64_t task_units = input.place.task_cpu_units;
  const int64_t host_units = int64_t{input.host.cpus} * kUnitsPerCore;
  const bool is_tasks = task_units > 0 && task_units < host_units;
  const int64_t most = is_tasks ? task_units : host_units;
  int64_t units = 0;
  if (!absl::SimpleAtoi(label->second, &units) || units < kLeastCpuLimit || units > most) {
    return absl::InvalidArgumentError(absl::StrCat(
        "dockerLabels '", kCpuLimitLabel, "': '", label->second,
        "' is not a number of CPU units from ", kLeastCpuLimit, " (the kernel's minimum) to ", most,
        is_tasks ? " (the task's cpu)" : " (the host's cores)"));
  }
  (*cpu)["period"] = kPeriodMicroseconds;
  (*cpu)["quota"] = units * kPeriodMicroseconds / kUnitsPerCore;
  return absl::OkStatus();
}

}  // namespace

int64_t CpuShares(int32_t cpu_units) {
  return std::clamp<int64_t>(cpu_units, kMinShares, kMaxShares);
}

absl::StatusOr<nlohmann::json> BuildResources(const SpecInput& input) {
  const int32_t cpu = input.overrides.has_cpu() ? input.overrides.cpu() : input.container.cpu();
  if (cpu < 0) {
    return absl::InvalidArgumentError(absl::StrCat("cpu: ", cpu, " units are below 0"));
  }
  ASSIGN_OR_RETURN(nlohmann::json memory, BuildMemory(input));
  nlohmann::json resources{{"cpu", {{"shares", CpuShares(cpu)}}}};
  RETURN_IF_ERROR(AddCpuLimit(input, &resources["cpu"]));
  if (!memory.empty()) resources["memory"] = std::move(memory);
  if (input.place.pids_limit > 0) resources["pids"] = {{"limit", input.place.pids_limit}};
  return resources;
}

}  // namespace davit::spec
