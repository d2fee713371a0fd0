#ifndef DAVIT_BASE_DEFINITION_OVERRIDES_H_
#define DAVIT_BASE_DEFINITION_OVERRIDES_H_

#include "absl/strings/string_view.h"
#include "davit/v1/task.pb.h"

namespace davit {

// The override of the container `name`; an empty one if there is none. Valid as long as
// `overrides`. Pure.
const v1::ContainerOverride& OverrideOf(const v1::TaskOverride& overrides, absl::string_view name);

}  // namespace davit

#endif  // DAVIT_BASE_DEFINITION_OVERRIDES_H_
