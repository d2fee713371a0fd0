#ifndef DAVIT_AGENT_LOG_LOGGER_H_
#define DAVIT_AGENT_LOG_LOGGER_H_

#include "agent/log/keeper.h"
#include "agent/log/log_file.h"
#include "agent/log/logger_state.h"

// Standard library only: part of davit-logger (see json_line.h).

namespace davit::log {

struct LoggerOptions {
  int stdout_fd;
  int stderr_fd;
  int ready_fd;  // closed when the log is open, or cannot be
  LogFile::Options file;
};

// Copies the two pipes into the log until both have ended, with a keeper beside it. Never stops
// reading for a full disk. Blocks. Returns in the process that has seen the end of both.
void RunLogger(const LoggerOptions& options, Keeper* keeper);

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_LOGGER_H_
