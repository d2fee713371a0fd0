#include "agent/log/json_line.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace davit::log {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Length of the valid UTF-8 character at the start of `text` (RFC 3629: no overlong forms, no
// surrogates), or 0.
size_t CharacterLength(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xC2 && first < 0xE0   ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const unsigned char second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return length;
}

// Where to split `text`, which has the maximum length, without splitting a character.
size_t CutPosition(std::string_view text) {
  for (size_t back = 1; back <= 3 && back < text.size(); ++back) {
    const size_t start = text.size() - back;
    if (IsContinuation(text[start])) continue;
    const bool is_whole = CharacterLength(text.substr(start)) == back;
    const bool begins_one = (static_cast<unsigned char>(text[start]) & 0xC0U) == 0xC0U;
    return is_whole || !begins_one ? text.size() : start;
  }
  return text.size();
}

void AppendEscaped(char c, std::string* out) {
  switch (c) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default: {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04x",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      *out += code;
    }
  }
}

bool IsPlain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

}  // namespace

void LineSplitter::Feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const size_t room = kMaxLineBytes - partial_.size();
    const std::string_view window = bytes.substr(0, room);
    const size_t newline = window.find('\n');
    if (newline == std::string_view::npos && window.size() < room) {
      partial_ += window;
      return;
    }
    const size_t taken = newline == std::string_view::npos ? window.size() : newline + 1;
    bytes.remove_prefix(taken);
    if (partial_.empty() && newline != std::string_view::npos) {
      sink(window.substr(0, taken));  // the common case copies nothing
      continue;
    }
    partial_ += window.substr(0, taken);
    const size_t cut = newline == std::string_view::npos ? CutPosition(partial_) : partial_.size();
    sink(std::string_view(partial_).substr(0, cut));
    partial_.erase(0, cut);
  }
}

void LineSplitter::Finish(const Sink& sink) {
  if (!partial_.empty()) sink(partial_);
  partial_.clear();
}

void AppendJsonLine(std::string_view text, std::string_view stream, std::string_view time,
                    std::string* out) {
  *out += "{\"log\":\"";
  while (!text.empty()) {
    const auto plain_end = std::find_if_not(text.begin(), text.end(), IsPlain);
    const auto plain = static_cast<size_t>(plain_end - text.begin());
    *out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const size_t length = CharacterLength(text);
    if (length == 0) {
      *out += "\\ufffd";
    } else if (length == 1) {
      AppendEscaped(text[0], out);
    } else {
      *out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  *out += "\",\"stream\":\"";
  *out += stream;
  *out += "\",\"time\":\"";
  *out += time;
  *out += "\"}\n";
}

std::string Rfc3339Nano(int64_t seconds, int64_t nanoseconds) {
  const time_t when = seconds;
  tm parts{};
  gmtime_r(&when, &parts);
  char text[64];
  size_t length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  if (nanoseconds != 0) {
    char fraction[16];
    std::snprintf(fraction, sizeof(fraction), ".%09u",
                  static_cast<unsigned>(nanoseconds % 1000000000));
    std::string_view digits = fraction;
    while (digits.back() == '0') digits.remove_suffix(1);
    length += digits.copy(text + length, sizeof(text) - length);
  }
  return std::string(text, length) + "Z";
}

}  // namespace davit::log
