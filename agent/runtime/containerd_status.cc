#include "agent/runtime/containerd_status.h"

#include "absl/strings/match.h"

namespace davit::runtime {
namespace {

// While containerd still cleans up after an earlier creation, the shim's folder is in the way or
// vanishes under the new shim; or the host had no process to spare. It has no code for any of them.
// A runtime that is not installed is another matter.
bool IsShimNotStarted(const absl::Status& status) {
  return absl::StrContains(status.message(), "failed to start shim") &&
         !absl::StrContains(status.message(), "failed to resolve runtime path");
}

}  // namespace

bool IsShimGone(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnknown &&
         (absl::StrContains(status.message(), "ttrpc: closed") ||
          absl::StrContains(status.message(), "connection refused"));
}

bool IsCommandRefused(const absl::Status& status) {
  // runc 1.1 (exec.LookPath and what follows it), crun 1.8 (find_executable).
  for (const char* words :
       {"unable to start container process: exec: ", "unable to start container process: exec /",
        "executable file `", "open executable: "}) {
    if (absl::StrContains(status.message(), words)) return true;
  }
  return false;
}

absl::Status ToRuntimeStatus(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
      return absl::UnavailableError(status.message());
    case absl::StatusCode::kUnknown:
      // A deadline inside containerd or its shim has no code either.
      if (IsShimGone(status) || IsShimNotStarted(status) ||
          absl::StrContains(status.message(), "context deadline exceeded")) {
        return absl::UnavailableError(status.message());
      }
      return absl::FailedPreconditionError(status.message());
    default:
      return status;
  }
}

}  // namespace davit::runtime
