#include <nlohmann/json.hpp>
#include <string>

#include "agent/log/json_line.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

// The first byte says how large the pieces are in which the rest arrives.
int FuzzJsonLine(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = size_t{data[0]} * 64 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string joined;
  log::LineSplitter splitter;
  const auto sink = [&joined](std::string_view line) {
    Must(!line.empty() && line.size() <= log::LineSplitter::kMaxLineBytes + 1);
    joined += line;
    std::string out;
    log::AppendJsonLine(line, "stdout", "2026-01-31T23:59:59Z", &out);
    Must(!out.empty() && out.find('\n') == out.size() - 1);  // one line, whatever is in it
    const auto json = nlohmann::json::parse(out, nullptr, /*allow_exceptions=*/false);
    Must(json.is_object() && json.value("stream", "") == "stdout" && json.contains("log"));
  };
  for (size_t i = 0; i < bytes.size(); i += piece) splitter.Feed(bytes.substr(i, piece), sink);
  splitter.Finish(sink);
  Must(joined == bytes);
  return 0;
}

}  // namespace davit::fuzz
