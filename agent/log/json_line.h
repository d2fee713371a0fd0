#ifndef DAVIT_AGENT_LOG_JSON_LINE_H_
#define DAVIT_AGENT_LOG_JSON_LINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

// From a container's bytes to Docker's json-file lines:
// {"log":"text\n","stream":"stdout","time":"..."}. Pure. Part of davit-logger, which is one process
// per container and so links the standard library only: std::string_view, where the rest of the
// project has Abseil's.

namespace davit::log {

// Cuts a byte stream into lines of at most kMaxLineBytes, as Docker's copier does: the pieces of a
// longer line follow each other, and only the last one ends in a newline. A piece never ends within
// a UTF-8 character. Not thread-safe.
class LineSplitter {
 public:
  static constexpr size_t kMaxLineBytes = 16 * 1024;
  using Sink = std::function<void(std::string_view line)>;

  // Gives each line that is complete to `sink`, with its newline. Views are valid during the call.
  void Feed(std::string_view bytes, const Sink& sink);
  // The stream has ended: what has no newline is a line too.
  void Finish(const Sink& sink);

 private:
  std::string partial_;  // less than kMaxLineBytes
};

// Appends one json-file line. Bytes that are not UTF-8 become U+FFFD. `stream`: "stdout" or
// "stderr".
void AppendJsonLine(std::string_view text, std::string_view stream, std::string_view time,
                    std::string* out);

// "2026-01-31T23:59:59.123456789Z": RFC 3339 in UTC with Go's nanoseconds, which have no zeros at
// the end.
std::string Rfc3339Nano(int64_t seconds, int64_t nanoseconds);

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_JSON_LINE_H_
