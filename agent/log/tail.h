#ifndef DAVIT_AGENT_LOG_TAIL_H_
#define DAVIT_AGENT_LOG_TAIL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::log {

// One line that davit-logger wrote.
struct LogLine {
  std::string
      text;  // with its newline, unless it was the end of the stream or a piece of a long line
  std::string stream;
  absl::Time time;
  friend bool operator==(const LogLine&, const LogLine&) = default;
};

// InvalidArgument: not a json-file line (a torn one, for instance).
absl::StatusOr<LogLine> ParseLogLine(absl::string_view json);

struct TailOptions {
  int max_lines = 100;
  int64_t max_bytes = 1 << 20;  // of json-file text that is looked at, newest first
};

// The last lines of a container's log, oldest first, across rotated files (`file`.1, .2, ...). What
// cannot be parsed is left out. Safe while davit-logger writes and rotates: a line may be missing
// then, none comes twice. Thread-safe; blocks on the disk. NotFound: there is no log.
absl::StatusOr<std::vector<LogLine>> Tail(const std::string& file, const TailOptions& options);

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_TAIL_H_
