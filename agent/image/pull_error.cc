#include "agent/image/pull_error.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::image {
namespace {

constexpr size_t kMaxReasonBytes = 1024;

}  // namespace

absl::Status PullError(const absl::Status& status) {
  if (status.ok()) return status;
  std::string reason = absl::StrCat("CannotPullContainerError: ", status.message());
  for (char& c : reason) {
    if (absl::ascii_iscntrl(c)) c = ' ';
  }
  return absl::Status(status.code(), Shorten(reason, kMaxReasonBytes));
}

}  // namespace davit::image
