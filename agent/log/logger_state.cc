#include "agent/log/logger_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>

namespace davit::log {
namespace {

constexpr size_t kFileBytes = 160;  // four numbers with their names, and spaces
constexpr char kFormat[] =
    "lost_records=%" PRId64 " lost_bytes=%" PRId64 " error=%d killed_writers=%d";

}  // namespace

std::string LoggerStatePath(const std::string& log_path) {
  const size_t name = log_path.rfind('/') + 1;  // 0 without a folder
  return log_path.substr(0, name) + "." + log_path.substr(name) + ".state";
}

std::optional<LoggerState> ParseLoggerState(std::string_view text) {
  LoggerState state;
  const std::string terminated(text);
  if (std::sscanf(terminated.c_str(), kFormat, &state.lost_records, &state.lost_bytes, &state.error,
                  &state.killed_writers) != 4) {
    return std::nullopt;
  }
  return state;
}

LoggerStateFile::LoggerStateFile(const std::string& log_path)
    : fd_(open(LoggerStatePath(log_path).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)) {
  if (fd_ < 0) return;
  flock(fd_, LOCK_SH | LOCK_NB);
  struct stat info {};
  if (fstat(fd_, &info) == 0 && info.st_size == 0) Write({});
}

LoggerStateFile::~LoggerStateFile() {
  if (fd_ >= 0) close(fd_);
}

LoggerState LoggerStateFile::Read() const {
  char text[kFileBytes];
  const ssize_t got = fd_ < 0 ? -1 : pread(fd_, text, sizeof text, 0);
  if (got <= 0) return {};
  return ParseLoggerState({text, static_cast<size_t>(got)}).value_or(LoggerState());
}

void LoggerStateFile::Write(const LoggerState& state) const {
  if (fd_ < 0) return;
  char text[kFileBytes + 1];
  const int length = std::snprintf(text, sizeof text, kFormat, state.lost_records, state.lost_bytes,
                                   state.error, state.killed_writers);
  if (length < 0) return;
  for (size_t i = static_cast<size_t>(length); i < kFileBytes; ++i)
    text[i] = i + 1 == kFileBytes ? '\n' : ' ';
  // One page of the file in one go: a reader sees the old text or the new one.
  static_cast<void>(!pwrite(fd_, text, kFileBytes, 0));
}

}  // namespace davit::log
