#ifndef DAVIT_AGENT_LOG_LOG_FILE_H_
#define DAVIT_AGENT_LOG_LOG_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

// Standard library only: part of davit-logger (see json_line.h).

namespace davit::log {

// The log of one container: `path`, and `path`.1, .2, ... for older records. Never fails: it drops
// and counts what it cannot write, because a log must not stop its container. The files contain
// only whole records, even if the disk fills up within one. Not thread-safe. Blocks on the disk.
class LogFile {
 public:
  struct Options {
    std::string path;
    int64_t max_bytes =
        10 << 20;       // limit of each file; <= 0: none. A larger record gets a file of its own.
    int max_files = 5;  // including the current one; 1: keep no older file
  };
  // The records dropped since the last ClearLoss().
  struct Loss {
    int64_t records = 0;
    int64_t bytes = 0;
    int error = 0;  // errno of the latest failure
  };

  explicit LogFile(Options options);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Adds a record that ends in a newline. After Flush() it is in the file.
  void Append(std::string_view record);
  void Flush();

  const Loss& loss() const { return loss_; }
  // Since the beginning.
  const Loss& total_loss() const { return total_loss_; }
  // Writes `record`, which tells of the loss, right away; on success the count starts anew.
  bool ReportLoss(std::string_view record);

 private:
  bool Open();
  void Rotate();
  bool WritePending();
  void DropPending(int error);

  const Options options_;
  int fd_ = -1;
  int64_t size_ = 0;  // of the file on disk, whole records only
  std::string pending_;
  int64_t pending_records_ = 0;
  Loss loss_;
  Loss total_loss_;
};

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_LOG_FILE_H_
