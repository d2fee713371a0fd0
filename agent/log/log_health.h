#ifndef DAVIT_AGENT_LOG_LOG_HEALTH_H_
#define DAVIT_AGENT_LOG_LOG_HEALTH_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/log/logger_state.h"

namespace davit::log {

// How a container's log is, as its davit-logger says.
struct LogHealth {
  LoggerState state;
  bool has_logger = false;  // its davit-logger lives: output is taken
};

// Of the log at `file`. NotFound: it has no davit-logger, or one that could make no file there.
// Thread-safe; blocks on the disk.
absl::StatusOr<LogHealth> ReadLogHealth(const std::string& file);

// "2 lines (70 bytes) lost: No space left on device; its logger was killed once"; empty: nothing is
// known to be missing. Pure.
std::string DescribeTrouble(const LogHealth& health);

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_LOG_HEALTH_H_
