#include "agent/log/tail.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/log/json_line.h"
#include "agent/log/log_file.h"
#include "tests/agent/log/temp_folder.h"

namespace davit::log {
namespace {

std::string Record(int number) {
  std::string record;
  AppendJsonLine(absl::StrCat("line ", number, "\n"), "stdout", Rfc3339Nano(number, 5), &record);
  return record;
}

std::vector<std::string> Texts(const std::string& file, const TailOptions& options) {
  const absl::StatusOr<std::vector<LogLine>> lines = Tail(file, options);
  REQUIRE(lines.ok());
  std::vector<std::string> texts;
  for (const LogLine& line : *lines) texts.push_back(line.text);
  return texts;
}

TEST_CASE("a line that was written can be read", "[log]") {
  const absl::StatusOr<LogLine> line = ParseLogLine(Record(7));
  REQUIRE(line.ok());
  CHECK(*line == LogLine{"line 7\n", "stdout", absl::FromUnixSeconds(7) + absl::Nanoseconds(5)});
  for (const char* text :
       {"", "{", "[]", "7", "{\"log\":\"x\"}", "{\"log\":\"x\",\"time\":\"yesterday\"}"}) {
    CHECK(ParseLogLine(text).status().code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("the last lines are returned oldest first, across rotated files", "[log]") {
  const TempFolder folder;
  LogFile file({folder.File("log"), 300, 10});
  for (int number = 0; number < 20; ++number) file.Append(Record(number));
  file.Flush();
  REQUIRE(FileExists(folder.File("log.2")));
  CHECK(Texts(folder.File("log"), {3, 1 << 20}) ==
        std::vector<std::string>{"line 17\n", "line 18\n", "line 19\n"});
  const std::vector<std::string> all = Texts(folder.File("log"), {100, 1 << 20});
  REQUIRE(all.size() == 20);
  CHECK(all.front() == "line 0\n");
  CHECK(all.back() == "line 19\n");
  CHECK(Texts(folder.File("log"), {0, 1 << 20}).empty());
}

TEST_CASE("no more bytes are read than requested", "[log]") {
  const TempFolder folder;
  LogFile file({folder.File("log"), 0, 1});
  for (int number = 0; number < 20; ++number) file.Append(Record(number));
  file.Flush();
  const auto two = static_cast<int64_t>(Record(18).size() + Record(19).size());
  CHECK(Texts(folder.File("log"), {100, two}) ==
        std::vector<std::string>{"line 18\n", "line 19\n"});
}

TEST_CASE("a log larger than one chunk is read completely", "[log]") {
  const TempFolder folder;
  LogFile file({folder.File("log"), 0, 1});
  for (int number = 0; number < 5000; ++number) file.Append(Record(number));
  file.Flush();
  const std::vector<std::string> all = Texts(folder.File("log"), {10000, 1 << 30});
  REQUIRE(all.size() == 5000);
  for (int number = 0; number < 5000; ++number) {
    if (all[static_cast<size_t>(number)] != absl::StrCat("line ", number, "\n")) FAIL(number);
  }
}

TEST_CASE("incomplete lines are skipped", "[log]") {
  const TempFolder folder;
  const std::string text = absl::StrCat(Record(1), "{\"log\":\"to\n", Record(2), "{\"lo");
  REQUIRE(WriteFileAtomically(folder.File("log"), text) == absl::OkStatus());
  CHECK(Texts(folder.File("log"), {}) == std::vector<std::string>{"line 1\n", "line 2\n"});
}

TEST_CASE("older files are found during a rotation", "[log]") {
  const TempFolder folder;
  REQUIRE(WriteFileAtomically(folder.File("log.1"), Record(1)) == absl::OkStatus());
  CHECK(Texts(folder.File("log"), {}) == std::vector<std::string>{"line 1\n"});
}

TEST_CASE("a missing log is NotFound", "[log]") {
  const TempFolder folder;
  CHECK(Tail(folder.File("log"), {}).status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace davit::log
