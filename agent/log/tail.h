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
      text;  // with its newline, except at the end of the stream and in pieces of a long line
  std::string stream;
  absl::Time time;
  friend bool operator==(const LogLine&, const LogLine&) = default;
};

// InvalidArgument: not a json-file line (for instance an incomplete one).
absl::StatusOr<LogLine> ParseLogLine(absl::string_view json);

struct TailOptions {
  int max_lines = 100;
  int64_t max_bytes = 1 << 20;  // of json-file text to read, newest first
};

// The last lines of a container's log, oldest first, across rotated files (`file`.1, .2, ...).
// Skips lines that cannot be parsed. Safe while davit-logger writes and rotates: a line may be
// missing, but none appears twice. Thread-safe; blocks on the disk. NotFound: there is no log.
absl::StatusOr<std::vector<LogLine>> Tail(const std::string& file, const TailOptions& options);

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_TAIL_H_
