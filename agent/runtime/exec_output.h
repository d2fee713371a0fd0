#ifndef DAVIT_AGENT_RUNTIME_EXEC_OUTPUT_H_
#define DAVIT_AGENT_RUNTIME_EXEC_OUTPUT_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace davit::runtime {

// The end of what a process writes into a named pipe, read by a thread of its own, so that the
// process never waits for us. Not thread-safe. Neither pipe nor thread outlives this object.
class ExecOutput {
 public:
  // Makes the pipe `path` (whose folder exists), in place of one that is there.
  static absl::StatusOr<std::unique_ptr<ExecOutput>> Open(const std::string& path,
                                                          size_t max_bytes);
  ~ExecOutput();
  ExecOutput(const ExecOutput&) = delete;
  ExecOutput& operator=(const ExecOutput&) = delete;

  const std::string& path() const { return path_; }
  // Stops reading. Returns the last `max_bytes` of all that is in the pipe by now. Does not wait
  // for those who still have the pipe open.
  std::string Finish();

 private:
  ExecOutput(std::string path, int pipe, int wake, size_t max_bytes);
  void Read();
  // Takes what is in the pipe, at most `limit` bytes.
  void Drain(size_t limit);

  const std::string path_;
  const int pipe_;
  const int wake_;  // eventfd: ends Read()
  const size_t max_bytes_;
  std::string text_;  // used by thread_ until it is joined
  std::thread thread_;
};

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_EXEC_OUTPUT_H_
