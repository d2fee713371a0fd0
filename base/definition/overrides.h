#ifndef DAVIT_BASE_DEFINITION_OVERRIDES_H_
#define DAVIT_BASE_DEFINITION_OVERRIDES_H_

#include "absl/strings/string_view.h"
#include "davit/v1/task.pb.h"

namespace davit {

// The override of the container `name`; one without any member where there is none. It lives as
// long as `overrides`, or forever. Pure.
const v1::ContainerOverride& OverrideOf(const v1::TaskOverride& overrides, absl::string_view name);

}  // namespace davit

#endif  // DAVIT_BASE_DEFINITION_OVERRIDES_H_
