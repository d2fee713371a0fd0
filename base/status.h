#ifndef DAVIT_BASE_STATUS_H_
#define DAVIT_BASE_STATUS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

// Errors travel as absl::Status. Each layer says what it was doing and to which object by giving
// the macros a context:
//   RETURN_IF_ERROR(cgroup.SetMemoryMax(bytes), "limiting memory of task ", id);
//   ASSIGN_OR_RETURN(std::string text, ReadFile(path), "loading config");
// What each code means, and which are retried: docs/errors.md.

namespace davit {

// `status` with "context: " before its message; code and payloads stay. An OK status stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

template <typename... Context>
absl::Status AnnotateIfGiven(const absl::Status& status, const Context&... context) {
  if constexpr (sizeof...(context) == 0) {
    return status;
  } else {
    return Annotate(status, absl::StrCat(context...));
  }
}

// The one place that decides from the code whether trying the same again can help.
inline bool IsRetryable(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

// Success for a removal: what is already gone needs no removing.
inline absl::Status OkIfNotFound(const absl::Status& status) {
  return status.code() == absl::StatusCode::kNotFound ? absl::OkStatus() : status;
}

// Success for a creation by a name that is ours.
inline absl::Status OkIfAlreadyExists(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : status;
}

// InvalidArgument, NotFound, ... from the calling thread's errno: "open /x: No such file or
// directory".
absl::Status ErrnoStatus(int error_number, absl::string_view what);

// At most `limit` bytes of ToUtf8(text), cut at a character's end, with "..." where something was
// cut.
std::string Shorten(absl::string_view text, size_t limit);

}  // namespace davit

#define DAVIT_CONCAT_INNER(a, b) a##b
#define DAVIT_CONCAT(a, b) DAVIT_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression, ...)                                         \
  do {                                                                           \
    if (absl::Status davit_status_ = (expression); !davit_status_.ok()) {        \
      return ::davit::AnnotateIfGiven(davit_status_ __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                            \
  } while (false)

#define ASSIGN_OR_RETURN(declaration, expression, ...)                   \
  ASSIGN_OR_RETURN_INNER(DAVIT_CONCAT(davit_or_, __LINE__), declaration, \
                         expression __VA_OPT__(, ) __VA_ARGS__)
#define ASSIGN_OR_RETURN_INNER(result, declaration, expression, ...)             \
  auto result = (expression);                                                    \
  if (!result.ok()) {                                                            \
    return ::davit::AnnotateIfGiven(result.status() __VA_OPT__(, ) __VA_ARGS__); \
  }                                                                              \
  declaration = std::move(result).value()

#endif  // DAVIT_BASE_STATUS_H_
