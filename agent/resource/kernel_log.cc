#include "agent/resource/kernel_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace davit::resource {
namespace {

constexpr size_t kRecordBytes = 8192;      // the kernel's PRINTKRINGBUFFER_RECORD_MAX with escapes
constexpr size_t kMaxLogBytes = 16 << 20;  // bounds a log that grows as fast as it is read

// The text between two marks: from the end of the first `begin` to the last `end` after it. Empty
// if either is missing.
absl::string_view Between(absl::string_view line, absl::string_view begin, absl::string_view end) {
  const size_t mark = line.find(begin);
  if (mark == absl::string_view::npos) return "";
  line.remove_prefix(mark + begin.size());
  return line.substr(0, line.rfind(end) == absl::string_view::npos ? 0 : line.rfind(end));
}

bool IsAtOrBelow(absl::string_view cgroup, absl::string_view path) {
  return cgroup == path || absl::StartsWith(cgroup, absl::StrCat(path, "/"));
}

}  // namespace

// oom-kill:constraint=CONSTRAINT_MEMCG,...,task_memcg=/davit/T/web,task=stress,pid=4711,uid=0
std::string FindOomVictim(absl::string_view text, absl::string_view path) {
  std::string victim;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::StrContains(line, "oom-kill:constraint=")) continue;
    // A process name may contain commas and marks, so the last marks end it.
    const absl::string_view rest = Between(line, ",task_memcg=", ",uid=");
    const absl::string_view cgroup = rest.substr(0, rest.find(",task="));
    const absl::string_view name = Between(rest, ",task=", ",pid=");
    int pid = 0;
    if (!IsAtOrBelow(cgroup, path) || name.empty() ||
        !absl::SimpleAtoi(rest.substr(rest.rfind('=') + 1), &pid)) {
      continue;
    }
    victim = absl::StrCat(pid, " (", name, ")");
  }
  return victim;
}

std::string ReadKernelLog(const std::string& path) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return text;
  std::array<char, kRecordBytes> record{};
  while (text.size() < kMaxLogBytes) {
    const ssize_t got =
        read(fd, record.data(), record.size());  // /dev/kmsg returns one record per read
    if (got > 0) text.append(record.data(), static_cast<size_t>(got));
    // EPIPE: the next record was overwritten; the following read returns the oldest one left.
    if (got == 0 || (got < 0 && errno != EINTR && errno != EPIPE)) break;
  }
  close(fd);
  return text;
}

}  // namespace davit::resource
