#include "agent/log/json_line.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace davit::log {
namespace {

using Lines = std::vector<std::string>;

// Feeds `bytes` in pieces of `piece` bytes.
Lines Split(const std::string& bytes, size_t piece) {
  LineSplitter splitter;
  Lines lines;
  const LineSplitter::Sink sink = [&lines](std::string_view line) { lines.emplace_back(line); };
  for (size_t i = 0; i < bytes.size(); i += piece)
    splitter.Feed(std::string_view(bytes).substr(i, piece), sink);
  splitter.Finish(sink);
  return lines;
}

std::string Json(const std::string& text) {
  std::string out;
  AppendJsonLine(text, "stdout", "2026-01-01T00:00:00Z", &out);
  return out;
}

TEST_CASE("lines are the same however the bytes arrive", "[log]") {
  for (const size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
    CHECK(Split("one\n\ntwo\nthree", piece) == Lines{"one\n", "\n", "two\n", "three"});
    CHECK(Split("one\n", piece) == Lines{"one\n"});
    CHECK(Split("", piece).empty());
  }
}

TEST_CASE("a long line comes in pieces, of which the last has the newline", "[log]") {
  const std::string text = std::string(40000, 'x') + "\nnext\n";
  for (const size_t piece : {1U, 4096U, 65536U}) {
    const Lines lines = Split(text, piece);
    REQUIRE(lines.size() == 4);
    CHECK(lines[0].size() == LineSplitter::kMaxLineBytes);
    CHECK(lines[1].size() == LineSplitter::kMaxLineBytes);
    CHECK(lines[0] + lines[1] + lines[2] + lines[3] == text);
    CHECK(lines[2].back() == '\n');
  }
}

TEST_CASE("a long line is not cut within a character", "[log]") {
  for (size_t offset = 0; offset < 4; ++offset) {
    std::string text(offset, 'x');
    while (text.size() < 40000) text += "\xF0\x9F\x9A\xA2";  // a ship
    const Lines lines = Split(text, 999);
    std::string joined;
    for (const std::string& line : lines) {
      CHECK(line.size() <= LineSplitter::kMaxLineBytes);
      CHECK(Json(line).find("\\ufffd") == std::string::npos);
      joined += line;
    }
    CHECK(joined == text);
  }
}

TEST_CASE("a line is one JSON object as Docker writes it", "[log]") {
  CHECK(Json("hello\n") ==
        "{\"log\":\"hello\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}\n");
  CHECK(Json("a\"b\\c\td\r\x01\x7f") ==
        "{\"log\":\"a\\\"b\\\\c\\td\\r\\u0001\\u007f\",\"stream\":\"stdout\",\"time\":\"2026-01-"
        "01T00:00:00Z\"}\n");
}

TEST_CASE("text that is UTF-8 stays, and what is not becomes the replacement character", "[log]") {
  const auto log = [](const std::string& text) {
    return nlohmann::json::parse(Json(text))["log"].get<std::string>();
  };
  CHECK(log("d\xC3\xA9j\xC3\xA0 \xE2\x82\xAC \xF0\x9F\x9A\xA2") ==
        "d\xC3\xA9j\xC3\xA0 \xE2\x82\xAC \xF0\x9F\x9A\xA2");
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(log("a\xFFz") == "a" + bad + "z");
  CHECK(log("\xC3") == bad);                                // cut off
  CHECK(log("\xC0\xAF") == bad + bad);                      // overlong
  CHECK(log("\xED\xA0\x80") == bad + bad + bad);            // a surrogate
  CHECK(log("\xF4\x90\x80\x80") == bad + bad + bad + bad);  // beyond U+10FFFF
}

TEST_CASE("any bytes make valid JSON, one line per line", "[log]") {
  std::mt19937 random(7);  // NOLINT: the same bytes each time
  for (int round = 0; round < 200; ++round) {
    std::string bytes(random() % 300, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    for (const std::string& line : Split(bytes, 64)) {
      const std::string json = Json(line);
      CHECK(std::count(json.begin(), json.end(), '\n') == 1);
      CHECK(nlohmann::json::accept(json));
    }
  }
}

TEST_CASE("times are Go's RFC3339Nano", "[log]") {
  CHECK(Rfc3339Nano(0, 0) == "1970-01-01T00:00:00Z");
  CHECK(Rfc3339Nano(1767225599, 123456789) == "2025-12-31T23:59:59.123456789Z");
  CHECK(Rfc3339Nano(1767225599, 120000000) == "2025-12-31T23:59:59.12Z");
  CHECK(Rfc3339Nano(1767225599, 1) == "2025-12-31T23:59:59.000000001Z");
}

}  // namespace
}  // namespace davit::log
