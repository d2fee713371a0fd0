#ifndef DAVIT_AGENT_LOG_LOG_URI_H_
#define DAVIT_AGENT_LOG_LOG_URI_H_

#include <cstdint>
#include <string>

namespace davit::log {

// The log settings of one container, for davit-logger.
struct LogOptions {
  std::string logger_path;            // davit-logger, absolute
  std::string file;                   // absolute; its folder exists
  int64_t max_size_bytes = 10 << 20;  // [container_log] max_size_mib
  int max_files = 5;                  // [container_log] max_files
};

// The address for containerd of the task's stdout and stderr (the same for both):
// "binary:///usr/bin/davit-logger?file=%2fvar%2flog%2fa&max_files=5&max_size=10485760". Pure.
std::string LogUri(const LogOptions& options);

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_LOG_URI_H_
