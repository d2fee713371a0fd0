#ifndef DAVIT_BASE_SUBPROCESS_H_
#define DAVIT_BASE_SUBPROCESS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace davit {

struct Command {
  std::vector<std::string> arguments;              // [0] is the program's absolute path
  std::map<std::string, std::string> environment;  // the whole environment: nothing is inherited
  std::string input;                               // sent to standard input
  absl::Duration timeout = absl::Seconds(30);
};

struct CommandResult {
  int exit_code = 0;  // 128 + signal number if a signal killed it
  std::string output;
  std::string error_output;
};

// Runs a program, in a process group of its own, until it has ended and its outputs are closed.
// Blocks: use from a pool; for `timeout` and two seconds at most, even if the program hangs in the
// kernel. Thread-safe. DeadlineExceeded: that took longer than `timeout`, and the group was killed.
// NotFound, PermissionDenied: it could not be started. InvalidArgument: no program is named. An
// exit code other than 0 is a result, not an error.
absl::StatusOr<CommandResult> RunCommand(const Command& command);

}  // namespace davit

#endif  // DAVIT_BASE_SUBPROCESS_H_
