#include "agent/task/post_mortem.h"

#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/utf8.h"

namespace davit::task {
namespace {

constexpr int kSignalBase = 128;
// Clients search for these words of ECS, so further facts follow them.
constexpr char kOutOfMemory[] = "OutOfMemoryError: Container killed due to memory usage";
constexpr char kLastOutput[] = "; last output: ";
constexpr absl::string_view kDots = "...";

// Rounds to the nearest MiB, because limits are whole MiB.
std::string Mebibytes(int64_t bytes) {
  constexpr int64_t kMebibyte = 1 << 20;
  return absl::StrCat((bytes + kMebibyte / 2) / kMebibyte, " MiB");
}

// The end of `text` (UTF-8), at most `limit` bytes.
std::string EndOf(const std::string& text, size_t limit) {
  if (text.size() <= limit) return text;
  if (limit < kDots.size()) return "";
  size_t start = text.size() - (limit - kDots.size());
  while (start < text.size() && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) ++start;
  return absl::StrCat(kDots, absl::string_view(text).substr(start));
}

}  // namespace

std::string SignalOfExitCode(int exit_code) {
  const char* name = exit_code > kSignalBase ? sigabbrev_np(exit_code - kSignalBase) : nullptr;
  return name == nullptr ? "" : absl::StrCat("SIG", name);
}

std::string ReasonOfEnd(std::optional<int> exit_code, bool out_of_memory, const PostMortem& facts) {
  const int code = exit_code.value_or(0);
  if (code == 0) return "";
  if (!out_of_memory) {
    const std::string signal = SignalOfExitCode(code);
    return absl::StrCat("exit code ", code,
                        signal.empty() ? "" : absl::StrCat(" (128 + ", signal, ")"));
  }
  std::vector<std::string> known;
  const absl::string_view whose = facts.is_memory_of_task ? " of the task" : "";
  if (facts.memory_limit_bytes > 0)
    known.push_back(absl::StrCat("limit", whose, " ", Mebibytes(facts.memory_limit_bytes)));
  if (facts.memory_peak_bytes > 0)
    known.push_back(absl::StrCat("peak ", Mebibytes(facts.memory_peak_bytes)));
  if (!facts.killed_process.empty())
    known.push_back(absl::StrCat("killed process ", facts.killed_process));
  return absl::StrCat(kOutOfMemory, known.empty() ? "" : ": ", absl::StrJoin(known, ", "));
}

std::string WithLastLines(absl::string_view reason, const std::vector<std::string>& lines,
                          size_t limit) {
  const std::string head = Shorten(reason, limit);
  const size_t taken = head.size() + std::strlen(kLastOutput);
  if (lines.empty() || taken >= limit) return head;
  const std::string output = EndOf(ToUtf8(absl::StrJoin(lines, " | ")), limit - taken);
  return output.empty() ? head : absl::StrCat(head, kLastOutput, output);
}

}  // namespace davit::task
