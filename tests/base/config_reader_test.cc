#include "base/config_reader.h"

#include <catch2/catch.hpp>

#include "base/file.h"
#include "tests/support/scratch_folder.h"

namespace davit {
namespace {

struct Values {
  std::string text = "default";
  bool flag = false;
  int number = 1;
  absl::Duration duration = absl::Seconds(1);
  std::vector<std::string> texts;
  std::vector<int> numbers;
  std::map<std::string, std::string> table;
  std::map<std::string, std::vector<std::string>> lists;
};

absl::Status Fill(absl::string_view toml, Values* values) {
  absl::StatusOr<ConfigReader> reader = ConfigReader::FromText(toml, "x.toml");
  if (!reader.ok()) return reader.status();
  reader->Read("part", "text", &values->text);
  reader->Read("part", "flag", &values->flag);
  reader->Read("part", "number", &values->number, 0, 10);
  reader->Read("part", "duration", &values->duration, absl::ZeroDuration(), absl::Hours(1));
  reader->Read("part", "texts", &values->texts);
  reader->Read("part", "numbers", &values->numbers, 1, 65535);
  reader->Read("part", "table", &values->table);
  reader->Read("part", "lists", &values->lists);
  return reader->Finish();
}

std::string Problems(absl::string_view toml) {
  Values values;
  const absl::Status status = Fill(toml, &values);
  CHECK(absl::IsInvalidArgument(status));
  return std::string(status.message());
}

TEST_CASE("each kind of value is read", "[config_reader]") {
  Values values;
  REQUIRE(Fill(R"([part]
text = "t"
flag = true
number = 10
duration = "1m30s"
texts = ["a", "b"]
numbers = [1, 65535]
table = { rack = "b2", "my.disk" = "ssd" }
lists = { a = ["b", "c"], d = [] }
)",
               &values)
              .ok());
  CHECK(values.text == "t");
  CHECK(values.flag);
  CHECK(values.number == 10);
  CHECK(values.duration == absl::Seconds(90));
  CHECK(values.texts == std::vector<std::string>{"a", "b"});
  CHECK(values.numbers == std::vector<int>{1, 65535});
  CHECK(values.lists ==
        std::map<std::string, std::vector<std::string>>{{"a", {"b", "c"}}, {"d", {}}});
  CHECK(values.table == std::map<std::string, std::string>{{"my.disk", "ssd"}, {"rack", "b2"}});
}

TEST_CASE("absent keys keep the defaults", "[config_reader]") {
  Values values;
  REQUIRE(Fill("", &values).ok());
  REQUIRE(Fill("[part]\n", &values).ok());
  CHECK(values.text == "default");
  CHECK(values.number == 1);
}

TEST_CASE("a value of the wrong type or out of range is refused by name", "[config_reader]") {
  using Row = std::pair<std::string, std::string>;
  const auto [line, problem] = GENERATE(
      Row{"text = 1", "part.text must be a string"},
      Row{"flag = \"yes\"", "part.flag must be true or false"},
      Row{"number = 11", "part.number must be a whole number from 0 to 10"},
      Row{"number = -1", "part.number must be a whole number"},
      Row{"number = 1.5", "part.number must be a whole number"},
      Row{"number = 9223372036854775807", "part.number must be a whole number"},
      Row{"duration = 30", "part.duration must be a duration with a unit"},
      Row{"duration = \"30\"", "part.duration must be"}, Row{"duration = \"2h\"", "from 0 to 1h"},
      Row{"duration = \"-1s\"", "part.duration must be"},
      Row{"duration = \"inf\"", "part.duration must be"},
      Row{"texts = \"a\"", "part.texts must be a list of strings"},
      Row{"texts = [\"a\", 1]", "part.texts must be a list of strings"},
      Row{"numbers = [0]", "part.numbers must be a list of whole numbers from 1 to 65535"},
      Row{"numbers = 7", "part.numbers must be a list"},
      Row{"table = []", "part.table must be a table of strings"},
      Row{"table = { a = 1 }", "part.table must be a table of strings"});
  CHECK_THAT(Problems("[part]\n" + line + "\n"), Catch::Contains(problem));
}

TEST_CASE("a wrong value keeps the default", "[config_reader]") {
  Values values;
  CHECK_FALSE(Fill("[part]\nnumber = 11\ntexts = [1]\n", &values).ok());
  CHECK(values.number == 1);
  CHECK(values.texts.empty());
}

TEST_CASE("all problems are reported at once, one per line", "[config_reader]") {
  const std::string problems =
      Problems("stray = 1\n[part]\ntext = 1\nnumber = 99\ntypo = 3\n[other]\nkey = 1\n");
  CHECK(std::count(problems.begin(), problems.end(), '\n') == 4);
  CHECK_THAT(problems, Catch::Contains("x.toml: part.text must be"));
  CHECK_THAT(problems, Catch::Contains("x.toml: part.number must be"));
  CHECK_THAT(problems, Catch::Contains("x.toml:5: unknown key part.typo"));
  CHECK_THAT(problems, Catch::Contains("x.toml:6: unknown section [other]"));
  CHECK_THAT(problems, Catch::Contains("x.toml:1: stray is outside of any [section]"));
}

TEST_CASE("an unknown section is an error even when it is empty", "[config_reader]") {
  CHECK_THAT(Problems("[prat]\n"), Catch::Contains("x.toml:1: unknown section [prat]"));
}

TEST_CASE("text that is not TOML is refused with line and column", "[config_reader]") {
  CHECK_THAT(Problems("[part]\ntext = \n"), Catch::StartsWith("x.toml:2:"));
  CHECK_THAT(Problems("[part]\ntext = \"a\"\ntext = \"b\"\n"), Catch::StartsWith("x.toml:3:"));
}

TEST_CASE("a check across keys becomes one more problem", "[config_reader]") {
  auto reader = ConfigReader::FromText("", "x.toml");
  reader->AddError("part", "text", "does not go with part.flag");
  CHECK(reader->Finish().message() == "x.toml: part.text does not go with part.flag");
}

TEST_CASE("a file is read, and a missing one is NotFound", "[config_reader]") {
  const test::ScratchFolder folder;
  REQUIRE(WriteFileAtomically(folder.File("a.toml"), "[part]\n").ok());
  CHECK(ConfigReader::FromFile(folder.File("a.toml")).ok());
  CHECK(absl::IsNotFound(ConfigReader::FromFile(folder.File("b.toml")).status()));
}

}  // namespace
}  // namespace davit
