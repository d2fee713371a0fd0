#include "base/status.h"

#include <cstring>

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
  if (text.size() <= limit) return std::string(text);
  const absl::string_view dots = absl::string_view("...").substr(0, limit);
  const size_t longest = limit - dots.size();
  size_t end = longest;
  // A character has at most three bytes that go on; more of them are no UTF-8 and may be cut anywhere.
  const auto goes_on = [text](size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U; };
  while (end > 0 && longest - end < 3 && goes_on(end)) --end;
  return absl::StrCat(text.substr(0, goes_on(end) ? longest : end), dots);
}

}  // namespace davit
