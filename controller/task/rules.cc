#include "controller/task/rules.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "controller/ecs/ecs_error.h"
#include "controller/ecs/ranges.h"
#include "controller/ecs/rules.h"

namespace davit::controller::task {
namespace {

using Problems = std::vector<std::string>;

// Of the overrides' JSON form, by ECS's quota.
constexpr size_t kMaxOverrideBytes = 8192;

bool IsStartedBy(absl::string_view text) {
  return text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  absl::StrContains("-_/.:", c);
         });
}

void CheckOverrides(const v1::TaskOverride& overrides, const v1::TaskDefinition& definition,
                    Problems* problems) {
  if (overrides.ByteSizeLong() > kMaxOverrideBytes) {
    problems->push_back(
        absl::StrCat("overrides: must be at most ", kMaxOverrideBytes, " characters."));
  }
  for (int i = 0; i < overrides.container_overrides_size(); ++i) {
    const v1::ContainerOverride& replaced = overrides.container_overrides(i);
    const std::string path = absl::StrCat("overrides.containerOverrides[", i, "]");
    const auto& containers = definition.container_definitions();
    const bool is_known =
        std::any_of(containers.begin(), containers.end(),
                    [&](const auto& container) { return container.name() == replaced.name(); });
    if (!is_known) {
      problems->push_back(absl::StrCat("Override for container named ", replaced.name(),
                                       " is not a container in the TaskDefinition."));
    }
    ecs::CheckResourceRequirements(replaced.resource_requirements(), path, {"GPU"}, problems);
  }
  if (overrides.has_cpu() && !ecs::ParseCpu(overrides.cpu())) {
    problems->push_back(
        absl::StrCat("overrides.cpu: is neither CPU units nor vCPUs: '", overrides.cpu(), "'."));
  }
  if (overrides.has_memory() && !ecs::ParseMemory(overrides.memory())) {
    problems->push_back(
        absl::StrCat("overrides.memory: is neither MiB nor GB: '", overrides.memory(), "'."));
  }
}

void CheckNetwork(const v1::RunTaskRequest& request, const v1::TaskDefinition& definition,
                  Problems* problems) {
  const bool is_awsvpc = definition.network_mode() == "awsvpc";
  if (is_awsvpc && !request.has_network_configuration()) {
    problems->push_back(
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
  if (!is_awsvpc && request.has_network_configuration()) {
    problems->push_back(
        "Network Configuration is not valid for the given networkMode of this task definition.");
  }
}

Problems FindInvalid(const v1::RunTaskRequest& request, const v1::TaskDefinition& definition) {
  Problems problems = ecs::FindRangeProblems(request);
  if (request.has_launch_type() && !request.capacity_provider_strategy().empty()) {
    problems.push_back("launchType and capacityProviderStrategy exclude each other.");
  }
  if (request.has_launch_type() && request.launch_type() != "EC2" &&
      request.launch_type() != "FARGATE" && request.launch_type() != "EXTERNAL") {
    problems.push_back(absl::StrCat("launchType: must be EC2, FARGATE or EXTERNAL, is '",
                                    request.launch_type(), "'."));
  }
  if (!IsStartedBy(request.started_by())) {
    problems.push_back(
        "startedBy: must be at most 128 letters, digits, hyphens, underscores and slashes.");
  }
  if (request.has_group() && (request.group().empty() || request.group().size() > 255)) {
    problems.push_back("group: must be 1..255 characters.");
  }
  if (absl::StartsWith(request.group(), "service:")) {
    problems.push_back("group: 'service:' is kept for the tasks of services.");
  }
  if (request.client_token().size() > 64)
    problems.push_back("clientToken: must be at most 64 characters.");
  if (request.has_propagate_tags() && request.propagate_tags() != "TASK_DEFINITION" &&
      request.propagate_tags() != "NONE") {
    problems.push_back(absl::StrCat("propagateTags: must be TASK_DEFINITION or NONE, is '",
                                    request.propagate_tags(), "'."));
  }
  if (request.has_platform_version()) {
    problems.push_back("The platform version must be null when specifying an EC2 launch type.");
  }
  CheckNetwork(request, definition, &problems);
  CheckOverrides(request.overrides(), definition, &problems);
  ecs::CheckTags(request.tags(), &problems);
  return problems;
}

void FindUnsupportedMembers(const v1::TaskDefinition& definition, Problems* problems) {
  if (definition.network_mode() == "awsvpc") problems->push_back("networkMode awsvpc");
  if (!definition.placement_constraints().empty())
    problems->push_back("the task definition's placementConstraints");
  if (definition.has_proxy_configuration()) problems->push_back("proxyConfiguration");
  if (!definition.inference_accelerators().empty()) problems->push_back("inferenceAccelerators");
  if (absl::StartsWith(definition.runtime_platform().operating_system_family(), "WINDOWS")) {
    problems->push_back("Windows");
  }
  for (const v1::ContainerDefinition& container : definition.container_definitions()) {
    for (const v1::ResourceRequirement& requirement : container.resource_requirements()) {
      if (requirement.type() == "GPU") continue;
      problems->push_back(absl::StrCat("resourceRequirements ", requirement.type(),
                                       " of container ", container.name()));
    }
  }
}

Problems FindUnsupported(const v1::RunTaskRequest& request, const v1::TaskDefinition& definition) {
  Problems problems;
  if (request.has_launch_type() && request.launch_type() != "EC2") {
    problems.push_back(absl::StrCat("launchType ", request.launch_type(), " (only EC2 is)"));
  }
  if (!request.capacity_provider_strategy().empty()) problems.push_back("capacityProviderStrategy");
  if (!request.placement_constraints().empty()) problems.push_back("placementConstraints");
  if (!request.placement_strategy().empty()) problems.push_back("placementStrategy");
  if (request.enable_execute_command()) problems.push_back("enableExecuteCommand");
  FindUnsupportedMembers(definition, &problems);
  return problems;
}

}  // namespace

absl::Status CheckRunTask(const v1::RunTaskRequest& request, const v1::TaskDefinition& definition) {
  const Problems invalid = FindInvalid(request, definition);
  if (!invalid.empty()) return ecs::InvalidParameter(absl::StrJoin(invalid, "\n"));
  const Problems unsupported = FindUnsupported(request, definition);
  if (unsupported.empty()) return absl::OkStatus();
  return ecs::EcsError("UnsupportedFeatureException",
                       absl::StrCat("Not supported: ", absl::StrJoin(unsupported, ", "), "."));
}

v1::TaskOverride NormalizedOverrides(v1::TaskOverride overrides) {
  if (const auto units = ecs::ParseCpu(overrides.cpu())) overrides.set_cpu(absl::StrCat(*units));
  if (const auto mib = ecs::ParseMemory(overrides.memory()))
    overrides.set_memory(absl::StrCat(*mib));
  return overrides;
}

}  // namespace davit::controller::task
