#include "base/json_decoder.h"
#include "controller/definition/rules.h"
#include "controller/ecs/rules.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

int FuzzTaskDefinition(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  v1::RegisterTaskDefinitionRequest request;
  const bool is_decoded = DecodeJson(text, &request).empty();
  // The rules may rely on nothing but the message's form.
  const bool is_sound = controller::definition::FindProblems(request).empty();
  if (!is_decoded || !is_sound) return 0;
  const v1::TaskDefinition definition = controller::definition::Normalize(request);
  Must(definition.container_definitions_size() == request.container_definitions_size());
  if (definition.has_cpu()) Must(controller::ecs::ParseCpu(definition.cpu()).has_value());
  if (definition.has_memory()) Must(controller::ecs::ParseMemory(definition.memory()).has_value());
  return 0;
}

}  // namespace davit::fuzz
