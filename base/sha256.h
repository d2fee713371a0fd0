#ifndef DAVIT_BASE_SHA256_H_
#define DAVIT_BASE_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace davit {

// The SHA-256 digest of `text`: 32 bytes, or 64 lower-case hexadecimal digits. Pure.
std::string Sha256(absl::string_view text);
std::string Sha256Hex(absl::string_view text);

}  // namespace davit

#endif  // DAVIT_BASE_SHA256_H_
