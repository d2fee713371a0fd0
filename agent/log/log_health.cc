#include "agent/log/log_health.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::log {

absl::StatusOr<LogHealth> ReadLogHealth(const std::string& file) {
  const std::string path = LoggerStatePath(file);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, absl::StrCat("open ", path));
  char text[256];
  const ssize_t got = pread(fd, text, sizeof text, 0);
  LogHealth health;
  health.has_logger = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  const auto state = got < 0 ? std::nullopt : ParseLoggerState({text, static_cast<size_t>(got)});
  if (!state) return absl::NotFoundError(absl::StrCat(path, ": its logger wrote nothing there"));
  health.state = *state;
  return health;
}

std::string DescribeTrouble(const LogHealth& health) {
  const LoggerState& state = health.state;
  std::string text;
  if (state.lost_records > 0) {
    text = absl::StrCat(state.lost_records, state.lost_records == 1 ? " line (" : " lines (",
                        state.lost_bytes, " bytes) lost: ", std::strerror(state.error));
  }
  if (state.killed_writers > 0) {
    absl::StrAppend(
        &text, text.empty() ? "" : "; ", "its logger was killed ",
        state.killed_writers == 1 ? "once" : absl::StrCat(state.killed_writers, " times"));
  }
  return text;
}

}  // namespace davit::log
