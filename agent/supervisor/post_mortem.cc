#include "agent/supervisor/post_mortem.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "agent/log/log_health.h"
#include "agent/log/tail.h"
#include "agent/resource/kernel_log.h"
#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/utf8.h"

namespace davit::supervisor {
namespace {

constexpr size_t kMaxLineBytes = 1024;
constexpr size_t kLeastSecretLine =
    4;  // bytes: a shorter line of a secret, like "}", is not secret
constexpr char kRedacted[] = "[secret]";
// Reads more lines than it reports, so that the first reported line is not the rest of a secret.
constexpr int kMoreLines = 8;
constexpr int64_t kMaxTailBytes = 1 << 20;

std::string Redact(absl::string_view text, const std::set<std::string>& secrets) {
  std::set<absl::string_view> words;
  for (absl::string_view secret : secrets) {
    if (!secret.empty()) words.insert(secret);
    for (absl::string_view line : absl::StrSplit(secret, '\n')) {
      line = absl::StripAsciiWhitespace(line);
      if (line.size() >= kLeastSecretLine) words.insert(line);
    }
  }
  std::vector<std::pair<absl::string_view, absl::string_view>> replacements;
  for (const absl::string_view word : words) replacements.emplace_back(word, kRedacted);
  return absl::StrReplaceAll(text, replacements);  // prefers the longest match
}

// The length of the terminal's escape sequence at the start of `text` (ECMA-48: ESC [ ... letter).
size_t EscapeLength(absl::string_view text) {
  if (text.size() < 2 || text[0] != '\x1b' || text[1] != '[') return 0;
  size_t end = 2;
  while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
  return std::min(end + 1, text.size());
}

// Replaces control characters of ASCII and Unicode's C1 by spaces, so that the text cannot control
// a terminal.
std::string WithoutControls(absl::string_view text) {
  const std::string clean = ToUtf8(text);
  text = clean;
  std::string out;
  while (!text.empty()) {
    if (const size_t escape = EscapeLength(text); escape > 0) {
      text.remove_prefix(escape);
      continue;
    }
    const size_t length = std::max<size_t>(1, Utf8CharacterLength(text));
    const bool is_c1 =
        length == 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xA0;
    const bool is_control = is_c1 || (length == 1 && absl::ascii_iscntrl(text[0]));
    absl::StrAppend(&out, is_control ? " " : text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

// From this part of the limit on, the limit counts as reached. The kernel charges memory in
// batches, so the peak may be a little below the limit.
constexpr double kFull = 0.95;

// The part of the limit that was used.
double FillOf(const resource::CgroupUsage& usage) {
  if (usage.memory_limit_bytes <= 0) return -1;
  return static_cast<double>(usage.memory_peak_bytes) /
         static_cast<double>(usage.memory_limit_bytes);
}

}  // namespace

std::vector<std::string> TellableLines(absl::string_view text, const std::set<std::string>& secrets,
                                       size_t count) {
  std::vector<std::string> lines;
  const std::string redacted = Redact(text, secrets);
  for (absl::string_view line : absl::StrSplit(redacted, '\n')) {
    const std::string clean = WithoutControls(line);
    const absl::string_view stripped = absl::StripAsciiWhitespace(clean);
    if (!stripped.empty()) lines.push_back(Shorten(stripped, kMaxLineBytes));
  }
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<int64_t>(count));
  return lines;
}

task::PostMortem PostMortems::Examine(const Task& task, const std::string& container) const {
  task::PostMortem found;
  found.last_lines = LastLines(task, container).value_or(std::vector<std::string>());
  found.log_trouble = FindLogTrouble(task, container);
  const std::string path = cgroups_->ContainerPath(task.id(), container);
  const absl::StatusOr<resource::CgroupUsage> own = cgroups_->Read(path);
  if (!own.ok()) return found;  // the cgroup is gone, with its counters
  found.cpu_time = own->cpu_time;
  found.oom_kills = own->oom_kills;
  const resource::CgroupUsage all = cgroups_->Read(cgroups_->TaskPath(task.id())).value_or(*own);
  found.is_memory_of_task = FillOf(*own) < kFull && FillOf(all) > FillOf(*own);
  const resource::CgroupUsage& tight = found.is_memory_of_task ? all : *own;
  found.memory_limit_bytes = tight.memory_limit_bytes;
  found.memory_peak_bytes = tight.memory_peak_bytes;
  if (found.oom_kills > 0 && !options_.kernel_log.empty()) {
    found.killed_process = WithoutControls(
        resource::FindOomVictim(resource::ReadKernelLog(options_.kernel_log), path));
  }
  return found;
}

std::string PostMortems::FindLogTrouble(const Task& task, const std::string& container) const {
  const std::string file = files_->LogFile(task.id(), container);
  const absl::StatusOr<log::LogHealth> health = log::ReadLogHealth(file);
  std::string trouble;
  if (health.ok()) {
    trouble = log::DescribeTrouble(*health);
  } else if (!FileExists(file)) {
    trouble = "there is no file for it";
  }
  if (!trouble.empty()) {
    LogWarning("container's log is incomplete",
               {{"container_id", task.ContainerId(container)}, {"trouble", trouble}});
  }
  return trouble;
}

std::optional<std::vector<std::string>> PostMortems::LastLines(const Task& task,
                                                               const std::string& container) const {
  if (options_.log_lines == 0) return std::nullopt;
  const std::optional<std::set<std::string>> secrets = task.SecretsOf(container);
  if (!secrets) return std::nullopt;
  const auto tail = log::Tail(files_->LogFile(task.id(), container),
                              {options_.log_lines + kMoreLines, kMaxTailBytes});
  if (!tail.ok()) return std::nullopt;
  std::string text;
  for (const log::LogLine& line : *tail) text += line.text;
  return TellableLines(text, *secrets, static_cast<size_t>(options_.log_lines));
}

}  // namespace davit::supervisor
