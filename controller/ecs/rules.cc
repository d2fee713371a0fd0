#include "controller/ecs/rules.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "controller/ecs/problems.h"

namespace davit::controller::ecs {
namespace {

// "2", or "0.5 UNIT" as that many times `units_each`.
std::optional<int64_t> ParseAmount(absl::string_view text, absl::string_view unit,
                                   int64_t units_each) {
  const std::string lower = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  int64_t whole = 0;
  if (absl::SimpleAtoi(lower, &whole))
    return whole > 0 ? std::optional<int64_t>(whole) : std::nullopt;
  absl::string_view number = lower;
  if (!absl::EndsWith(number, unit)) return std::nullopt;
  number = absl::StripAsciiWhitespace(number.substr(0, number.size() - unit.size()));
  double value = 0;
  if (!absl::SimpleAtod(number, &value) || !(value > 0) || value > 1e6) return std::nullopt;
  return std::llround(value * static_cast<double>(units_each));
}

}  // namespace

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

std::optional<int64_t> ParseCpu(absl::string_view text) { return ParseAmount(text, "vcpu", 1024); }
std::optional<int64_t> ParseMemory(absl::string_view text) { return ParseAmount(text, "gb", 1024); }

void CheckTags(const google::protobuf::RepeatedPtrField<v1::Tag>& tags,
               std::vector<std::string>* list) {
  Problems problems(list);
  if (tags.size() > 50) problems.Add("tags", "at most 50, got ", tags.size(), ".");
  for (int i = 0; i < tags.size(); ++i) {
    const std::string at = absl::StrCat("tags[", i, "]");
    if (tags[i].key().empty() || tags[i].key().size() > 128)
      problems.Add(at + ".key", "must be 1..128 characters.");
    if (tags[i].value().size() > 256)
      problems.Add(at + ".value", "must be at most 256 characters.");
    if (absl::StartsWithIgnoreCase(tags[i].key(), "aws:"))
      problems.Add(at + ".key", "must not begin with aws:.");
  }
}

void CheckResourceRequirements(
    const google::protobuf::RepeatedPtrField<v1::ResourceRequirement>& requirements,
    const std::string& path, std::initializer_list<absl::string_view> types,
    std::vector<std::string>* list) {
  Problems problems(list);
  bool has_gpus = false;
  for (int i = 0; i < requirements.size(); ++i) {
    const std::string at = absl::StrCat(path, ".resourceRequirements[", i, "]");
    const v1::ResourceRequirement& requirement = requirements[i];
    problems.CheckOneOf(at + ".type", requirement.type(), types);
    if (requirement.type() != "GPU") continue;
    if (has_gpus) problems.Add(at + ".type", "GPU is given twice.");
    has_gpus = true;
    int count = 0;
    if (!absl::SimpleAtoi(requirement.value(), &count) || count < 1) {
      problems.Add(at + ".value", "must be a whole number of GPUs, at least 1; is '",
                   requirement.value(), "'.");
    }
  }
}

}  // namespace davit::controller::ecs
