#include "base/utf8.h"

#include <catch2/catch.hpp>

namespace davit {
namespace {

TEST_CASE("UTF-8 stays as it is", "[utf8]") {
  const std::string text("a\0\x7f\u00e4\u20ac\U0001F6A2\U0010FFFF", 16);
  CHECK(ToUtf8(text) == text);
  CHECK(ToUtf8("").empty());
}

TEST_CASE("each byte that is not UTF-8 is replaced", "[utf8]") {
  CHECK(ToUtf8("a\xff"
               "b") ==
        "a\uFFFD"
        "b");
  CHECK(ToUtf8("\xe2\x82") == "\uFFFD\uFFFD");                      // cut off
  CHECK(ToUtf8("\xc0\xaf") == "\uFFFD\uFFFD");                      // '/' in two bytes
  CHECK(ToUtf8("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");            // a surrogate
  CHECK(ToUtf8("\xf4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
  CHECK(ToUtf8("\x80\u00e4") == "\uFFFD\u00e4");
}

}  // namespace
}  // namespace davit
