#ifndef DAVIT_CONTROLLER_ECS_RULES_H_
#define DAVIT_CONTROLLER_ECS_RULES_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "davit/v1/task.pb.h"

namespace davit::controller::ecs {

// Rules of the ECS API reference that several operations share. Problems are sentences that begin
// with the member they are about. Pure.

inline constexpr int kMinMemoryMib = 6;

// 1..255 of [A-Za-z0-9_-].
bool IsName(absl::string_view text);

// CPU units of "256", "1 vCPU", ".5 vcpu"; MiB of "512", "1 GB", "0.5gb". nullopt: neither form.
std::optional<int64_t> ParseCpu(absl::string_view text);
std::optional<int64_t> ParseMemory(absl::string_view text);

// At most 50 of key 1..128, value 0..256, no reserved prefix.
void CheckTags(const google::protobuf::RepeatedPtrField<v1::Tag>& tags,
               std::vector<std::string>* problems);

// resourceRequirements of a container definition or of an override at `path`, which may be of these
// types. GPUs are asked for once, by a whole number.
void CheckResourceRequirements(
    const google::protobuf::RepeatedPtrField<v1::ResourceRequirement>& requirements,
    const std::string& path, std::initializer_list<absl::string_view> types,
    std::vector<std::string>* problems);

}  // namespace davit::controller::ecs

#endif  // DAVIT_CONTROLLER_ECS_RULES_H_
