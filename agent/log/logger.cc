#include "agent/log/logger.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include "agent/log/json_line.h"

namespace davit::log {
namespace {

// The default size of a pipe, so that one read empties it.
constexpr size_t kReadBytes = 64 * 1024;
// How often to retry a full disk while the container writes nothing.
constexpr int kRetryMilliseconds = 1000;

struct Stream {
  int fd;
  std::string_view name;
  LineSplitter splitter;
};

std::string Now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return Rfc3339Nano(now.tv_sec, now.tv_nsec);
}

// One line that says what is missing before it.
void ReportLoss(LogFile* file) {
  const LogFile::Loss& loss = file->loss();
  if (loss.records == 0) return;
  const std::string text = "davit-logger: " + std::to_string(loss.records) + " lines (" +
                           std::to_string(loss.bytes) +
                           " bytes) lost: " + std::strerror(loss.error) + "\n";
  std::string record;
  AppendJsonLine(text, "stderr", Now(), &record);
  file->ReportLoss(record);
}

// Reads once. False: the stream has ended.
bool Copy(Stream* stream, char* buffer, LogFile* file) {
  const ssize_t got = read(stream->fd, buffer, kReadBytes);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  const std::string time = Now();
  std::string record;
  const auto append = [&](std::string_view line) {
    record.clear();
    AppendJsonLine(line, stream->name, time, &record);
    file->Append(record);
  };
  if (got <= 0) {
    stream->splitter.Finish(append);
  } else {
    stream->splitter.Feed({buffer, static_cast<size_t>(got)}, append);
  }
  return got > 0;
}

}  // namespace

void CopyToLog(int stdout_fd, int stderr_fd, LogFile* file) {
  std::array<Stream, 2> streams = {Stream{stdout_fd, "stdout", {}},
                                   Stream{stderr_fd, "stderr", {}}};
  std::string buffer(kReadBytes, '\0');
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    std::array<pollfd, 2> polls = {pollfd{streams[0].fd, POLLIN, 0},
                                   pollfd{streams[1].fd, POLLIN, 0}};
    poll(polls.data(), polls.size(), file->loss().records > 0 ? kRetryMilliseconds : -1);
    ReportLoss(file);
    for (size_t i = 0; i < streams.size(); ++i) {
      if (polls[i].revents == 0 || Copy(&streams[i], buffer.data(), file)) continue;
      close(streams[i].fd);
      streams[i].fd = -1;
    }
    file->Flush();
  }
  ReportLoss(file);
}

}  // namespace davit::log
