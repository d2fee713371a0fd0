#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>

#include "absl/strings/str_format.h"

namespace davit {
namespace {

LogFormat g_format = LogFormat::kLogfmt;  // set once by SetUpLog, before threads start

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", std::string(1, c));
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

bool NeedsQuotes(absl::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) <= ' ') return true;
  }
  return false;
}

void Write(spdlog::level::level_enum level, absl::string_view name, absl::string_view message,
           std::initializer_list<LogField> fields) {
  if (!spdlog::default_logger_raw()->should_log(level)) return;
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  std::string line;
  if (g_format == LogFormat::kJson) {
    line = absl::StrCat("{\"time\":\"", time, "\",\"level\":\"", name, "\",\"msg\":", Quoted(message));
    for (const LogField& field : fields) absl::StrAppend(&line, ",", Quoted(field.key), ":", Quoted(field.value));
    line += "}";
  } else {
    line = absl::StrCat("time=", time, " level=", name, " msg=", Quoted(message));
    for (const LogField& field : fields) {
      absl::StrAppend(&line, " ", field.key, "=", NeedsQuotes(field.value) ? Quoted(field.value) : field.value);
    }
  }
  spdlog::default_logger_raw()->log(level, line);
}

}  // namespace

void SetUpLog(LogLevel level, LogFormat format) {
  g_format = format;
  auto logger = std::make_shared<spdlog::logger>("davit", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  switch (level) {
    case LogLevel::kDebug: logger->set_level(spdlog::level::debug); break;
    case LogLevel::kInfo: logger->set_level(spdlog::level::info); break;
    case LogLevel::kWarning: logger->set_level(spdlog::level::warn); break;
    case LogLevel::kError: logger->set_level(spdlog::level::err); break;
  }
  spdlog::set_default_logger(std::move(logger));
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
