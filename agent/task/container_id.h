#ifndef DAVIT_AGENT_TASK_CONTAINER_ID_H_
#define DAVIT_AGENT_TASK_CONTAINER_ID_H_

#include <string>

#include "absl/strings/string_view.h"

namespace davit::task {

// The id by which containerd and CNI know a task's container: "<32 hex>-<name>". ECS allows names
// that containerd does not (over 43 characters here, two separators in a row or one at an end):
// such a name is replaced by 16 hexadecimal digits of its hash. Pure; the same in every process.
// Source: containerd, identifiers: at most 76 characters, letters and digits with single [._-]
// between them.
std::string ContainerIdOf(absl::string_view task_id, absl::string_view name);

// False: not of that form. `name` is what stands for the name, which is itself a name with that id.
bool SplitContainerId(absl::string_view container_id, std::string* task_id, std::string* name);

// 32 hexadecimal digits.
bool IsTaskId(absl::string_view text);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_CONTAINER_ID_H_
