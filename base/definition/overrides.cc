#include "base/definition/overrides.h"

namespace davit {

const v1::ContainerOverride& OverrideOf(const v1::TaskOverride& overrides, absl::string_view name) {
  for (const v1::ContainerOverride& candidate : overrides.container_overrides()) {
    if (candidate.name() == name) return candidate;
  }
  return v1::ContainerOverride::default_instance();
}

}  // namespace davit
