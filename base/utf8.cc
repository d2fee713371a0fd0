#include "base/utf8.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace davit {

size_t Utf8CharacterLength(absl::string_view text) {
  const auto byte = [text](size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[at]));
  };
  const size_t length = byte(0) < 0x80         ? 1
                        : byte(0) >> 5 == 0x06 ? 2
                        : byte(0) >> 4 == 0x0E ? 3
                        : byte(0) >> 3 == 0x1E ? 4
                                               : 0;
  if (length == 0 || length > text.size()) return 0;
  unsigned code = length == 1 ? byte(0) : byte(0) & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    code = code << 6 | (byte(i) & 0x3FU);
  }
  constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // smallest code of that length
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  return code < kLeast[length] || is_surrogate || code > 0x10FFFF ? 0 : length;
}

std::string ToUtf8(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8CharacterLength(text);
    absl::StrAppend(&out, length == 0 ? "\uFFFD" : text.substr(0, length));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

}  // namespace davit
