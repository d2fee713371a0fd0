#include "controller/ecs/requests.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "controller/ecs/ecs_error.h"

namespace davit::controller::ecs {

absl::Status CheckOneOf(absl::string_view member, absl::string_view value,
                        std::initializer_list<absl::string_view> allowed) {
  if (value.empty() || Contains(allowed, value)) return absl::OkStatus();
  return InvalidParameter(absl::StrCat(member, ": must be one of ", absl::StrJoin(allowed, ", "),
                                       "; is '", value, "'"));
}

absl::Status CheckBatch(int size, absl::string_view member) {
  if (size < 1) return InvalidParameter(absl::StrCat(member, ": must name at least one."));
  if (size > 100)
    return InvalidParameter(absl::StrCat(member, ": at most 100 at once, got ", size));
  return absl::OkStatus();
}

}  // namespace davit::controller::ecs
