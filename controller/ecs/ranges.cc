#include "controller/ecs/ranges.h"

#include <cstdint>
#include <limits>
#include <map>

#include "absl/strings/str_cat.h"
#include "controller/ecs/rules.h"

namespace davit::controller::ecs {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

struct Range {
  int64_t min;
  int64_t max;
};

constexpr int64_t kMaxCpuUnits = 196'608;  // 192 vCPUs
constexpr int64_t kMaxMib = 64LL << 20;    // 64 TiB
constexpr int64_t kAnyMax = std::numeric_limits<int32_t>::max();
// Checked where the answer depends on more than the number; the comment says where.
constexpr Range kElsewhere = {std::numeric_limits<int64_t>::min(),
                              std::numeric_limits<int64_t>::max()};

// By the ECS API reference, where it gives a range.
const std::map<std::string, Range>& Table() {
  static const auto* const kTable = new std::map<std::string, Range>{
      {"CapacityProviderStrategyItem.base", {0, 100'000}},
      {"CapacityProviderStrategyItem.weight", {0, 1000}},
      {"ContainerDefinition.cpu", {0, kMaxCpuUnits}},
      {"ContainerDefinition.memory", {kMinMemoryMib, kMaxMib}},
      {"ContainerDefinition.memory_reservation", {kMinMemoryMib, kMaxMib}},
      {"ContainerDefinition.start_timeout", {0, kAnyMax}},
      {"ContainerDefinition.stop_timeout", {0, kAnyMax}},
      {"ContainerOverride.cpu", {0, kMaxCpuUnits}},
      {"ContainerOverride.memory", {kMinMemoryMib, kMaxMib}},
      {"ContainerOverride.memory_reservation", {kMinMemoryMib, kMaxMib}},
      {"ContainerRestartPolicy.ignored_exit_codes", {0, 255}},
      {"ContainerRestartPolicy.restart_attempt_period", {60, 1800}},
      {"EFSVolumeConfiguration.transit_encryption_port", {0, 65'535}},
      {"EphemeralStorage.size_in_gib", {21, 200}},
      {"HealthCheck.interval", kElsewhere},  // base/definition/container_checks.h
      {"HealthCheck.retries", kElsewhere},
      {"HealthCheck.start_period", kElsewhere},
      {"HealthCheck.timeout", kElsewhere},
      {"LinuxParameters.max_swap", {0, kMaxMib}},
      {"LinuxParameters.shared_memory_size", {0, kMaxMib}},
      {"LinuxParameters.swappiness", {0, 100}},
      {"ListClustersRequest.max_results", kElsewhere},  // paging.h
      {"ListContainerInstancesRequest.max_results", kElsewhere},
      {"ListTaskDefinitionFamiliesRequest.max_results", kElsewhere},
      {"ListTaskDefinitionsRequest.max_results", kElsewhere},
      {"ListTasksRequest.max_results", kElsewhere},
      {"PortMapping.container_port", {1, 65'535}},
      {"PortMapping.host_port", {0, 65'535}},
      {"RunTaskRequest.count", {1, 10}},
      {"Tmpfs.size", {1, kMaxMib}},
      {"Ulimit.hard_limit", {-1, kAnyMax}},  // -1: unlimited
      {"Ulimit.soft_limit", {-1, kAnyMax}},
  };
  return *kTable;
}

// "ContainerOverride.memory" of davit.v1.ContainerOverride.memory.
const Range* FindRange(const FieldDescriptor& field) {
  const auto found = Table().find(absl::StrCat(field.containing_type()->name(), ".", field.name()));
  return found == Table().end() ? nullptr : &found->second;
}

void CheckNumber(const Message& message, const FieldDescriptor& field, const std::string& path,
                 std::vector<std::string>* problems) {
  const Range* range = FindRange(field);
  if (range == nullptr) return;
  const Reflection& reflection = *message.GetReflection();
  const auto check = [&](int64_t value, const std::string& at) {
    if (value >= range->min && value <= range->max) return;
    problems->push_back(
        absl::StrCat(at, ": must be in ", range->min, "..", range->max, ", is ", value, "."));
  };
  if (!field.is_repeated()) return check(reflection.GetInt32(message, &field), path);
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i)
    check(reflection.GetRepeatedInt32(message, &field, i), absl::StrCat(path, "[", i, "]"));
}

void Walk(const Message& message, const std::string& prefix, std::vector<std::string>* problems) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string path = absl::StrCat(prefix, field->json_name());
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
      CheckNumber(message, *field, path, problems);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) {
      continue;
    } else if (!field->is_repeated()) {
      Walk(reflection.GetMessage(message, field), absl::StrCat(path, "."), problems);
    } else {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        Walk(reflection.GetRepeatedMessage(message, field, i), absl::StrCat(path, "[", i, "]."),
             problems);
      }
    }
  }
}

}  // namespace

std::vector<std::string> FindRangeProblems(const Message& request) {
  std::vector<std::string> problems;
  Walk(request, "", &problems);
  return problems;
}

bool HasRange(const FieldDescriptor& field) { return FindRange(field) != nullptr; }

}  // namespace davit::controller::ecs
