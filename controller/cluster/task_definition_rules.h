#ifndef DAVIT_CONTROLLER_CLUSTER_TASK_DEFINITION_RULES_H_
#define DAVIT_CONTROLLER_CLUSTER_TASK_DEFINITION_RULES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "davit/v1/ecs.pb.h"

namespace davit::cluster {

// What a task definition must be, by the ECS API reference. Problems are sentences that begin with
// the member they are about ("containerDefinitions[0].name: ..."); where ECS has a text of its own,
// that is used. Pure.

inline constexpr int kMinMemoryMib = 6;

// Every problem of the request; empty: it can be registered.
std::vector<std::string> FindProblems(const v1::RegisterTaskDefinitionRequest& request);

// The definition as it is kept and answered: defaults filled in, cpu and memory as plain numbers,
// requiresAttributes and compatibilities computed. Without ARN, revision and times. `request` has
// no problems.
v1::TaskDefinition Normalize(const v1::RegisterTaskDefinitionRequest& request);

// CPU units of "256", "1 vCPU", ".5 vcpu"; MiB of "512", "1 GB", "0.5gb". nullopt: neither form.
std::optional<int64_t> ParseCpu(absl::string_view text);
std::optional<int64_t> ParseMemory(absl::string_view text);

// At most 50 of key 1..128, value 0..256, no reserved prefix.
void CheckTags(const google::protobuf::RepeatedPtrField<v1::Tag>& tags,
               std::vector<std::string>* problems);

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_TASK_DEFINITION_RULES_H_
