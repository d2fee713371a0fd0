#ifndef DAVIT_BASE_UTF8_H_
#define DAVIT_BASE_UTF8_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace davit {

// How many bytes the character at the start of `text` has, which is not empty; 0: it is no UTF-8
// (RFC 3629: no longer forms than needed, no surrogates, nothing beyond U+10FFFF).
size_t Utf8CharacterLength(absl::string_view text);

// `text` with U+FFFD for each byte that is not UTF-8. Foreign words (a program's error output, a
// registry's answer) go through here before they are stored or sent: protobuf writes strings that
// are not UTF-8, and then refuses to read them.
std::string ToUtf8(absl::string_view text);

}  // namespace davit

#endif  // DAVIT_BASE_UTF8_H_
