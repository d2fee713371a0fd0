#include "base/config_reader.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

int FuzzConfig(const uint8_t* data, size_t size) {
  auto reader =
      ConfigReader::FromText(absl::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!reader.ok()) return 0;
  std::string text;
  bool flag = false;
  int number = 5;
  absl::Duration duration = absl::Seconds(1);
  std::vector<std::string> texts;
  std::vector<int> numbers;
  std::map<std::string, std::string> table;
  reader->Read("a", "text", &text);
  reader->Read("a", "flag", &flag);
  reader->Read("a", "number", &number, 1, 10);
  reader->Read("a", "duration", &duration, absl::ZeroDuration(), absl::Hours(1));
  reader->Read("b", "texts", &texts);
  reader->Read("b", "numbers", &numbers, 1, 10);
  reader->Read("b", "table", &table);
  static_cast<void>(reader->Finish());
  Must(number >= 1 && number <= 10);
  Must(duration >= absl::ZeroDuration() && duration <= absl::Hours(1));
  for (const int item : numbers) Must(item >= 1 && item <= 10);
  return 0;
}

}  // namespace davit::fuzz
