#include "agent/spec/gpus.h"

#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace davit::spec {

absl::Status CheckGpus(const SpecInput& input) {
  const bool is_replaced = !input.overrides.resource_requirements().empty();
  const std::string member =
      is_replaced ? "overrides.containerOverrides.resourceRequirements" : "resourceRequirements";
  size_t wanted = 0;
  for (const v1::ResourceRequirement& requirement : is_replaced
                                                        ? input.overrides.resource_requirements()
                                                        : input.container.resource_requirements()) {
    int count = 0;
    if (!absl::SimpleAtoi(requirement.value(), &count) || count < 1) {
      return absl::InvalidArgumentError(absl::StrCat(
          member, ": '", requirement.value(), "' is not a whole number of GPUs, at least 1"));
    }
    wanted += static_cast<size_t>(count);
  }
  if (wanted != input.place.gpu_ids.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(member, ": ", wanted, " GPUs are required, but the controller assigned ",
                     input.place.gpu_ids.size()));
  }
  for (const std::string& id : input.place.gpu_ids) {
    if (input.host.gpus.count(id) > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(member, ": this host has no GPU ", id, " (see gpu.devices in agent.toml)"));
  }
  return absl::OkStatus();
}

std::vector<std::string> GpuDeviceNodes(const SpecInput& input) {
  if (input.place.gpu_ids.empty()) return {};
  std::set<std::string> nodes(input.host.gpu_common_devices.begin(),
                              input.host.gpu_common_devices.end());
  for (const std::string& id : input.place.gpu_ids) {
    const std::vector<std::string>& own = input.host.gpus.at(id);
    nodes.insert(own.begin(), own.end());
  }
  return {nodes.begin(), nodes.end()};
}

}  // namespace davit::spec
