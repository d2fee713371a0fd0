#ifndef DAVIT_TESTS_FUZZ_BYTE_SOURCE_H_
#define DAVIT_TESTS_FUZZ_BYTE_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace davit::fuzz {

// Reads an input as a script: letters that choose what happens, and small numbers. Seeds are made
// of letters and digits, so that people can read and write them; any other byte means something
// too, so that few inputs are dull. Beyond the end there are zeros.
class ByteSource {
 public:
  ByteSource(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return byte;
  }
  // '0' to '9' are what they say; others are any number below 16.
  int Number() { return Byte() % 16; }
  // One of `letters`; a byte that is none of them stands for any.
  char Letter(absl::string_view letters) {
    const uint8_t byte = Byte();
    const size_t found = letters.find(static_cast<char>(byte));
    return letters[found != absl::string_view::npos ? found : byte % letters.size()];
  }
  // The bytes until `end`, which is dropped.
  std::string Until(char end) {
    const size_t size = std::min(rest_.find(end), rest_.size());
    const std::string text(rest_.substr(0, size));
    rest_.remove_prefix(std::min(size + 1, rest_.size()));
    return text;
  }

 private:
  absl::string_view rest_;
};

}  // namespace davit::fuzz

#endif  // DAVIT_TESTS_FUZZ_BYTE_SOURCE_H_
