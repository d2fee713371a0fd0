#include "base/status.h"

#include <cstring>

#include "base/utf8.h"

namespace davit {

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

absl::Status ErrnoStatus(int error_number, absl::string_view what) {
  return absl::ErrnoToStatus(error_number, what);
}

std::string Shorten(absl::string_view text, size_t limit) {
  std::string whole = ToUtf8(text);
  if (whole.size() <= limit) return whole;
  const absl::string_view dots = absl::string_view("...").substr(0, limit);
  size_t end = limit - dots.size();
  while (end > 0 && (static_cast<unsigned char>(whole[end]) & 0xC0U) == 0x80U) --end;
  return absl::StrCat(absl::string_view(whole).substr(0, end), dots);
}

}  // namespace davit
