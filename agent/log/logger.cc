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

// A line of the logger's own.
std::string OwnLine(const std::string& text) {
  std::string record;
  AppendJsonLine("davit-logger: " + text + "\n", "stderr", Now(), &record);
  return record;
}

// One line that says what is missing before it.
void ReportLoss(LogFile* file) {
  const LogFile::Loss& loss = file->loss();
  if (loss.records == 0) return;
  file->ReportLoss(OwnLine(std::to_string(loss.records) + " lines (" + std::to_string(loss.bytes) +
                           " bytes) lost: " + std::strerror(loss.error)));
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

// Keeps the state file up to what the log's file says.
class StateReporter {
 public:
  StateReporter(const LoggerStateFile* file, int killed_writers)
      : file_(file), before_(file->Read()) {
    if (killed_writers == 0) return;
    ++before_.killed_writers;
    file_->Write(before_);
  }
  void Report(const LogFile::Loss& total) {
    if (total.records == reported_records_) return;
    reported_records_ = total.records;
    file_->Write({before_.lost_records + total.records, before_.lost_bytes + total.bytes,
                  total.error, before_.killed_writers});
  }

 private:
  const LoggerStateFile* const file_;
  LoggerState before_;  // what others lost
  int64_t reported_records_ = 0;
};

// False: this process is a new writer in place of one that was killed, and has to begin anew.
bool CopyToLog(const LoggerOptions& options, Keeper* keeper, LogFile* file,
               StateReporter* reporter) {
  const int killed_writers = keeper->killed_writers();
  std::array<Stream, 2> streams = {Stream{options.stdout_fd, "stdout", {}},
                                   Stream{options.stderr_fd, "stderr", {}}};
  std::string buffer(kReadBytes, '\0');
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    std::array<pollfd, 3> polls = {pollfd{streams[0].fd, POLLIN, 0},
                                   pollfd{streams[1].fd, POLLIN, 0},
                                   pollfd{keeper->fd(), POLLIN, 0}};
    poll(polls.data(), polls.size(), file->loss().records > 0 ? kRetryMilliseconds : -1);
    if (polls[2].revents != 0) {
      keeper->Split();
      if (keeper->killed_writers() != killed_writers) return false;
    }
    ReportLoss(file);
    for (size_t i = 0; i < streams.size(); ++i) {
      // Left open at the end: a writer that comes after this one sees that end for itself.
      if (polls[i].revents != 0 && !Copy(&streams[i], buffer.data(), file)) streams[i].fd = -1;
    }
    file->Flush();
    reporter->Report(file->total_loss());
  }
  ReportLoss(file);
  return true;
}

}  // namespace

void RunLogger(const LoggerOptions& options, Keeper* keeper) {
  const LoggerStateFile state(options.file.path);  // locked by both processes
  keeper->Split(options.ready_fd);
  int ready_fd = options.ready_fd;
  for (bool is_done = false; !is_done;) {
    LogFile file(options.file);
    StateReporter reporter(&state, keeper->killed_writers());
    if (keeper->killed_writers() > 0) {
      file.Append(OwnLine("killed, and started again: output before this line may be missing"));
      file.Flush();
    }
    // One that took the place of a killed writer has it closed: so did the keeper.
    if (ready_fd >= 0 && keeper->killed_writers() == 0) close(ready_fd);
    ready_fd = -1;
    is_done = CopyToLog(options, keeper, &file, &reporter);
  }
}

}  // namespace davit::log
