#ifndef DAVIT_AGENT_LOG_JSON_LINE_H_
#define DAVIT_AGENT_LOG_JSON_LINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

// Converts a container's output to Docker's json-file lines:
// {"log":"text\n","stream":"stdout","time":"..."}. Pure. Part of davit-logger. Each container has a
// davit-logger process, so it links only the standard library and uses std::string_view where the
// rest of the project uses Abseil's.

namespace davit::log {

// Splits a byte stream into lines of at most kMaxLineBytes. Like Docker's copier, it splits a
// longer line into pieces, of which only the last ends in a newline. A piece never ends within a
// UTF-8 character. Not thread-safe.
class LineSplitter {
 public:
  static constexpr size_t kMaxLineBytes = 16 * 1024;
  using Sink = std::function<void(std::string_view line)>;

  // Calls `sink` with each complete line, including its newline. Views are valid during the call.
  void Feed(std::string_view bytes, const Sink& sink);
  // The stream has ended: passes the rest without a newline to `sink`.
  void Finish(const Sink& sink);

 private:
  std::string partial_;  // less than kMaxLineBytes
};

// Appends one json-file line. Bytes that are not UTF-8 become U+FFFD. `stream`: "stdout" or
// "stderr".
void AppendJsonLine(std::string_view text, std::string_view stream, std::string_view time,
                    std::string* out);

// "2026-01-31T23:59:59.123456789Z": RFC 3339 in UTC with nanoseconds as Go writes them, without
// trailing zeros.
std::string Rfc3339Nano(int64_t seconds, int64_t nanoseconds);

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_JSON_LINE_H_
