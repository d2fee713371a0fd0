#include "agent/spec/spec_input.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/spec/pause.h"
#include "base/status.h"

namespace davit::spec {

bool HasOwnNetwork(const SpecInput& input) {
  return input.task.network_mode() != "host" || input.container.disable_networking();
}

bool SharesHostIpc(const SpecInput& input) { return input.task.ipc_mode() == "host"; }

bool RunsUnderInit(const SpecInput& input) {
  return input.container.linux_parameters().init_process_enabled() &&
         input.task.pid_mode() != "host" && !SharesTaskPid(input.task);
}

absl::StatusOr<std::string> CleanAbsolutePath(absl::string_view path, absl::string_view member) {
  RETURN_IF_ERROR(CheckNoNul(path, member));
  if (path.empty() || path.front() != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat(member, ": '", path, "' is not an absolute path"));
  }
  std::vector<absl::string_view> parts;
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return absl::StrCat("/", absl::StrJoin(parts, "/"));
}

absl::Status CheckNoNul(absl::string_view text, absl::string_view member) {
  if (text.find('\0') == absl::string_view::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(member, ": contains a NUL byte"));
}

}  // namespace davit::spec
