#include "agent/log/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace davit::log {
namespace {

// Records are collected up to this size for one write.
constexpr size_t kBufferBytes = 64 * 1024;

std::string Numbered(const std::string& path, int number) {
  return number == 0 ? path : path + "." + std::to_string(number);
}

}  // namespace

LogFile::LogFile(Options options) : options_(std::move(options)) {
  Open();  // so that the file exists even if the container writes nothing
}

LogFile::~LogFile() {
  Flush();
  if (fd_ >= 0) close(fd_);
}

bool LogFile::Open() {
  if (fd_ >= 0) return true;
  fd_ = open(options_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat info {};
  if (fd_ < 0 || fstat(fd_, &info) != 0) return false;
  size_ = info.st_size;
  // An earlier davit-logger may have been killed within a record. Start on a new line.
  char last = '\n';
  if (size_ > 0 && pread(fd_, &last, 1, size_ - 1) == 1 && last != '\n' && write(fd_, "\n", 1) == 1)
    ++size_;
  return true;
}

// If a rename fails, the current file stays in use and grows too large, which is better than losing
// records. A current file that somebody deleted is closed, because it uses invisible disk space.
void LogFile::Rotate() {
  if (options_.max_files <= 1) {
    if (ftruncate(fd_, 0) == 0) size_ = 0;
    return;
  }
  for (int number = options_.max_files - 1; number > 0; --number) {
    const bool is_current = number == 1;
    const int renamed = rename(Numbered(options_.path, number - 1).c_str(),
                               Numbered(options_.path, number).c_str());
    if (is_current && renamed != 0 && errno != ENOENT) return;
  }
  close(std::exchange(fd_, -1));
  Open();
}

bool LogFile::WritePending() {
  if (pending_.empty()) return true;
  if (!Open()) return false;
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const ssize_t written = write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = written < 0 ? errno : ENOSPC;
      // The written part may end within a record.
      if (rest.size() < pending_.size() && ftruncate(fd_, size_) != 0)
        size_ += static_cast<int64_t>(pending_.size() - rest.size());
      errno = error;
      return false;
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  size_ += static_cast<int64_t>(pending_.size());
  return true;
}

void LogFile::DropPending(int error) {
  for (Loss* loss : {&loss_, &total_loss_}) {
    loss->records += pending_records_;
    loss->bytes += static_cast<int64_t>(pending_.size());
    loss->error = error;
  }
}

void LogFile::Flush() {
  if (!WritePending()) DropPending(errno);
  pending_.clear();
  pending_records_ = 0;
}

void LogFile::Append(std::string_view record) {
  const auto after = size_ + static_cast<int64_t>(pending_.size() + record.size());
  if (options_.max_bytes > 0 && after > options_.max_bytes) {
    Flush();
    if (fd_ >= 0 && size_ > 0 && size_ + static_cast<int64_t>(record.size()) > options_.max_bytes)
      Rotate();
  }
  pending_ += record;
  ++pending_records_;
  if (pending_.size() >= kBufferBytes) Flush();
}

bool LogFile::ReportLoss(std::string_view record) {
  Flush();
  const Loss before = loss_;
  const Loss total_before = total_loss_;
  Append(record);
  Flush();
  if (loss_.records != before.records) {
    loss_ = before;  // the report is not part of what is lost
    total_loss_ = total_before;
    return false;
  }
  loss_ = Loss();
  return true;
}

}  // namespace davit::log
