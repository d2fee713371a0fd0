#ifndef DAVIT_AGENT_LOG_LOGGER_H_
#define DAVIT_AGENT_LOG_LOGGER_H_

#include "agent/log/log_file.h"

// Standard library only: part of davit-logger (see json_line.h).

namespace davit::log {

// Copies two pipes into `file` until both have ended. Never stops reading for a full disk. Blocks.
// The descriptors are closed.
void CopyToLog(int stdout_fd, int stderr_fd, LogFile* file);

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_LOGGER_H_
