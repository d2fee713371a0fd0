#include "agent/spec/image_config.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

int FuzzImageConfig(const uint8_t* data, size_t size) {
  static_cast<void>(
      spec::ParseImageConfig(absl::string_view(reinterpret_cast<const char*>(data), size)));
  return 0;
}

}  // namespace davit::fuzz
