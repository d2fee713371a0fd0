#ifndef DAVIT_BASE_UTF8_H_
#define DAVIT_BASE_UTF8_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace davit {

// Length in bytes of the first character of `text`, which must not be empty. 0: not UTF-8 by RFC
// 3629 (an overlong form, a surrogate, or beyond U+10FFFF).
size_t Utf8CharacterLength(absl::string_view text);

// `text` with U+FFFD for each byte that is not UTF-8. Apply it to foreign text (a program's error
// output, a registry's response) before storing or sending it: protobuf writes strings that are not
// UTF-8, but refuses to read them.
std::string ToUtf8(absl::string_view text);

}  // namespace davit

#endif  // DAVIT_BASE_UTF8_H_
