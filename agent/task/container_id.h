#ifndef DAVIT_AGENT_TASK_CONTAINER_ID_H_
#define DAVIT_AGENT_TASK_CONTAINER_ID_H_

#include <string>

#include "absl/strings/string_view.h"

namespace davit::task {

// The id of a task's container for containerd and CNI: "<32 hex>-<name>". ECS allows names that
// containerd does not: more than 43 characters, two separators in a row, or one at an end. 16
// hexadecimal digits of a hash replace such a name. Pure; the same in every process. Source:
// containerd, identifiers: at most 76 characters, letters and digits with single [._-] between
// them.
std::string ContainerIdOf(absl::string_view task_id, absl::string_view name);

// The reverse of ContainerIdOf(). False: `container_id` has another form. `name` may be the hash of
// a name; ContainerIdOf() of it gives the same id.
bool SplitContainerId(absl::string_view container_id, std::string* task_id, std::string* name);

// What stands for a name that a user chose in a file's name: the name itself, or, if it is longer
// than kMaxFileName, its beginning, '~' and 16 hexadecimal digits of its hash. No name that ECS
// allows holds a '~', so no two have the same. Leaves room for what is put before and behind it: a
// file's name has at most 255 bytes. Pure; the same in every process.
inline constexpr size_t kMaxFileName = 200;
std::string FileNameOf(absl::string_view name);

// 32 hexadecimal digits.
bool IsTaskId(absl::string_view text);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_CONTAINER_ID_H_
