#ifndef DAVIT_AGENT_RUNTIME_EXEC_OUTPUT_H_
#define DAVIT_AGENT_RUNTIME_EXEC_OUTPUT_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace davit::runtime {

// Collects the last output of a process from a named pipe. Its own thread reads the pipe, so that
// the process never waits for us. Not thread-safe. Pipe and thread end with this object.
class ExecOutput {
 public:
  // Creates the pipe `path`, whose folder exists; replaces an existing file.
  static absl::StatusOr<std::unique_ptr<ExecOutput>> Open(const std::string& path,
                                                          size_t max_bytes);
  ~ExecOutput();
  ExecOutput(const ExecOutput&) = delete;
  ExecOutput& operator=(const ExecOutput&) = delete;

  const std::string& path() const { return path_; }
  // Stops reading. Returns the last `max_bytes` of the output so far. Does not wait for processes
  // that still have the pipe open.
  std::string Finish();

 private:
  ExecOutput(std::string path, int pipe, int wake, size_t max_bytes);
  void Read();
  // Reads the content of the pipe, at most `limit` bytes.
  void Drain(size_t limit);

  const std::string path_;
  const int pipe_;
  const int wake_;  // eventfd: ends Read()
  const size_t max_bytes_;
  std::string text_;  // belongs to thread_ until it is joined
  std::thread thread_;
};

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_EXEC_OUTPUT_H_
