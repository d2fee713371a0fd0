#ifndef DAVIT_BASE_STATUS_H_
#define DAVIT_BASE_STATUS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

// Errors are absl::Status. Each layer adds what it was doing and to which object:
//   RETURN_IF_ERROR(cgroup.SetMemoryMax(bytes), "limiting memory of task ", id);
//   ASSIGN_OR_RETURN(std::string text, ReadFile(path), "loading config");
// docs/errors.md says what each code means and which codes are retried.

namespace davit {

// `status` with "CONTEXT: " before its message and the same code and payloads. An OK status stays
// OK.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

template <typename... Context>
absl::Status AnnotateIfGiven(const absl::Status& status, const Context&... context) {
  if constexpr (sizeof...(context) == 0) {
    return status;
  } else {
    return Annotate(status, absl::StrCat(context...));
  }
}

// Whether a retry can succeed. The only place that decides this from the code.
inline bool IsRetryable(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

// For removals: an object that does not exist counts as removed.
inline absl::Status OkIfNotFound(const absl::Status& status) {
  return status.code() == absl::StatusCode::kNotFound ? absl::OkStatus() : status;
}

// For creations under a name that only we use: an object that exists counts as created.
inline absl::Status OkIfAlreadyExists(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : status;
}

// InvalidArgument, NotFound, ... from the calling thread's errno: "open /x: No such file or
// directory".
absl::Status ErrnoStatus(int error_number, absl::string_view what);

// At most `limit` bytes of ToUtf8(text), cut between characters; ends in "..." if it was cut.
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
