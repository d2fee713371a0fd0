#ifndef DAVIT_AGENT_LOG_LOGGER_STATE_H_
#define DAVIT_AGENT_LOG_LOGGER_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Standard library only: part of davit-logger (see json_line.h).

namespace davit::log {

// What has gone wrong with one container's log so far.
struct LoggerState {
  int64_t lost_records = 0;
  int64_t lost_bytes = 0;
  int error = 0;           // errno of the latest loss
  int killed_writers = 0;  // each time, some output may be missing
  friend bool operator==(const LoggerState&, const LoggerState&) = default;
};

// The file beside a log in which its davit-logger says how it is: "/a/.web.log.state" for
// "/a/web.log".
std::string LoggerStatePath(const std::string& log_path);

// nullopt: not what LoggerStateFile writes.
std::optional<LoggerState> ParseLoggerState(std::string_view text);

// That file, written by davit-logger. It has its size from the beginning, so that a full disk can
// still be told of, and is locked (flock(2), shared) by those who have this object, children
// included: one that nobody has locked is of a logger that is gone. Never fails. Not thread-safe.
class LoggerStateFile {
 public:
  // Goes on from what the file says already: a container that is started again has the same log.
  explicit LoggerStateFile(const std::string& log_path);
  ~LoggerStateFile();
  LoggerStateFile(const LoggerStateFile&) = delete;
  LoggerStateFile& operator=(const LoggerStateFile&) = delete;

  // What the file says now.
  LoggerState Read() const;
  void Write(const LoggerState& state) const;

 private:
  const int fd_;  // -1: the file cannot be had
};

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_LOGGER_STATE_H_
