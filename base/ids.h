#ifndef DAVIT_BASE_IDS_H_
#define DAVIT_BASE_IDS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit {

// 32 random lower-case hexadecimal digits, the form of ids in ECS's ARNs. From the kernel's random
// source.
std::string RandomHex32();
// "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".
std::string RandomUuid();

// An ECS ARN: arn:aws:ecs:REGION:ACCOUNT:TYPE/REST. Examples of `resource`: "cluster/C",
// "task/C/32HEX", "container-instance/C/32HEX", "container/C/32HEX/UUID", "task-definition/F:N".
struct Arn {
  std::string region;
  std::string account;
  std::string resource;

  std::string ToString() const;
  // "task" of task/C/32HEX.
  absl::string_view Type() const;
  // The part after the last '/': a task id, a cluster name, family:revision.
  absl::string_view Id() const;
};

// InvalidArgument: not of that form.
absl::StatusOr<Arn> ParseArn(absl::string_view text);
bool LooksLikeArn(absl::string_view text);
// The part after the last '/' of an ARN; the text itself if there is none.
std::string ShortId(absl::string_view arn_or_id);

}  // namespace davit

#endif  // DAVIT_BASE_IDS_H_
