#include "base/json_decoder.h"
#include "controller/cluster/task_definition_rules.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

int FuzzTaskDefinition(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  v1::RegisterTaskDefinitionRequest request;
  const bool is_decoded = DecodeJson(text, &request).empty();
  // The rules may rely on nothing but the message's form.
  const bool is_sound = cluster::FindProblems(request).empty();
  if (!is_decoded || !is_sound) return 0;
  const v1::TaskDefinition definition = cluster::Normalize(request);
  Must(definition.container_definitions_size() == request.container_definitions_size());
  if (definition.has_cpu()) Must(cluster::ParseCpu(definition.cpu()).has_value());
  if (definition.has_memory()) Must(cluster::ParseMemory(definition.memory()).has_value());
  return 0;
}

}  // namespace davit::fuzz
