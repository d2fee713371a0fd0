#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_format.h"
#include "base/utf8.h"

namespace davit {
namespace {

LogFormat g_format = LogFormat::kLogfmt;  // set once by SetUpLog, before threads start

// Before SetUpLog() only errors are logged; tests rely on it.
spdlog::logger* Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("davit",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::err);
    return made;
  }();
  return logger.get();
}

// A JSON string. Bytes that are not UTF-8 become U+FFFD, so that foreign text cannot break the
// line.
std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const unsigned char c = static_cast<unsigned char>(text[0]);
    const size_t length = Utf8CharacterLength(text);
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", text.substr(0, 1));
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7F) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(c));
    } else {
      absl::StrAppend(&out, length == 0 ? "\uFFFD" : text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out + "\"";
}

bool NeedsQuotes(absl::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) <= ' ' ||
        static_cast<unsigned char>(c) >= 0x7F) {
      return true;
    }
  }
  return false;
}

void Write(spdlog::level::level_enum level, absl::string_view name, absl::string_view message,
           absl::Span<const LogField> fields) {
  if (!Logger()->should_log(level)) return;
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  std::string line;
  if (g_format == LogFormat::kJson) {
    line =
        absl::StrCat("{\"time\":\"", time, "\",\"level\":\"", name, "\",\"msg\":", Quoted(message));
    for (const LogField& field : fields)
      absl::StrAppend(&line, ",", Quoted(field.key), ":", Quoted(field.value));
    line += "}";
  } else {
    line = absl::StrCat("time=", time, " level=", name, " msg=", Quoted(message));
    for (const LogField& field : fields) {
      absl::StrAppend(&line, " ", field.key, "=",
                      NeedsQuotes(field.value) ? Quoted(field.value) : field.value);
    }
  }
  Logger()->log(level, line);
}

}  // namespace

void SetUpLog(LogLevel level, LogFormat format) {
  g_format = format;
  switch (level) {
    case LogLevel::kDebug:
      return Logger()->set_level(spdlog::level::debug);
    case LogLevel::kInfo:
      return Logger()->set_level(spdlog::level::info);
    case LogLevel::kWarning:
      return Logger()->set_level(spdlog::level::warn);
    case LogLevel::kError:
      return Logger()->set_level(spdlog::level::err);
    case LogLevel::kOff:
      return Logger()->set_level(spdlog::level::off);
  }
}

bool ParseLogLevel(absl::string_view text, LogLevel* level) {
  if (text == "debug") return *level = LogLevel::kDebug, true;
  if (text == "info") return *level = LogLevel::kInfo, true;
  if (text == "warning") return *level = LogLevel::kWarning, true;
  if (text == "error") return *level = LogLevel::kError, true;
  return false;
}

bool ParseLogFormat(absl::string_view text, LogFormat* format) {
  if (text == "logfmt") return *format = LogFormat::kLogfmt, true;
  if (text == "json") return *format = LogFormat::kJson, true;
  return false;
}

void Log(LogLevel level, absl::string_view message, absl::Span<const LogField> fields) {
  switch (level) {
    case LogLevel::kDebug:
      return Write(spdlog::level::debug, "debug", message, fields);
    case LogLevel::kInfo:
      return Write(spdlog::level::info, "info", message, fields);
    case LogLevel::kWarning:
      return Write(spdlog::level::warn, "warning", message, fields);
    case LogLevel::kError:
      return Write(spdlog::level::err, "error", message, fields);
    case LogLevel::kOff:
      return;
  }
}

void LogDebug(absl::string_view message, std::initializer_list<LogField> fields) {
  Write(spdlog::level::debug, "debug", message, fields);
}
void LogInfo(absl::string_view message, std::initializer_list<LogField> fields) {
  Write(spdlog::level::info, "info", message, fields);
}
void LogWarning(absl::string_view message, std::initializer_list<LogField> fields) {
  Write(spdlog::level::warn, "warning", message, fields);
}
void LogError(absl::string_view message, std::initializer_list<LogField> fields) {
  Write(spdlog::level::err, "error", message, fields);
}

}  // namespace davit
