#ifndef DAVIT_BASE_LOG_H_
#define DAVIT_BASE_LOG_H_

#include <initializer_list>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// Structured logging: a constant message and fields, one line per state change, nothing per tick at
// info level. Field names are the proto's (task_arn, container_name, ...). Never environment values
// or secrets.
//   LogInfo("task stopped", {{"task_arn", arn}, {"exit_code", code}});
// Thread-safe. Writes to standard error, which systemd forwards to the journal.

namespace davit {

struct LogField {
  template <typename Value>
  LogField(absl::string_view k, const Value& v)
      : key(k), value(absl::StrCat(v)) {}  // NOLINT: a pair literal
  LogField(absl::string_view k, const absl::Status& status) : key(k), value(status.ToString()) {}
  absl::string_view key;
  std::string value;
};

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };  // kOff: nothing is written
enum class LogFormat { kLogfmt, kJson };

// Call once, before threads start.
void SetUpLog(LogLevel level, LogFormat format);
// False: an unknown name. Levels: debug, info, warning, error. Formats: logfmt, json.
bool ParseLogLevel(absl::string_view text, LogLevel* level);
bool ParseLogFormat(absl::string_view text, LogFormat* format);

// For a list of fields that is built at run time.
void Log(LogLevel level, absl::string_view message, absl::Span<const LogField> fields);

void LogDebug(absl::string_view message, std::initializer_list<LogField> fields = {});
void LogInfo(absl::string_view message, std::initializer_list<LogField> fields = {});
void LogWarning(absl::string_view message, std::initializer_list<LogField> fields = {});
void LogError(absl::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace davit

#endif  // DAVIT_BASE_LOG_H_
