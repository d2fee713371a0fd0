#include "base/ids.h"

#include <sys/random.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace davit {

std::string RandomHex32() {
  std::array<char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

std::string RandomUuid() {
  std::string hex = RandomHex32();
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  const absl::string_view h = hex;
  return absl::StrCat(h.substr(0, 8), "-", h.substr(8, 4), "-", h.substr(12, 4), "-",
                      h.substr(16, 4), "-", h.substr(20));
}

std::string Arn::ToString() const {
  return absl::StrCat("arn:aws:ecs:", region, ":", account, ":", resource);
}

absl::string_view Arn::Type() const {
  return absl::string_view(resource).substr(0, resource.find('/'));
}

absl::string_view Arn::Id() const {
  const size_t slash = resource.rfind('/');
  return slash == std::string::npos ? absl::string_view()
                                    : absl::string_view(resource).substr(slash + 1);
}

bool LooksLikeArn(absl::string_view text) { return absl::StartsWith(text, "arn:"); }

absl::StatusOr<Arn> ParseArn(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 5));
  const bool has_prefix =
      parts.size() == 6 && parts[0] == "arn" && parts[1] == "aws" && parts[2] == "ecs";
  if (!has_prefix || parts[3].empty() || parts[4].empty() || parts[5].find('/') == 0 ||
      !absl::StrContains(parts[5], '/') || absl::EndsWith(parts[5], "/")) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not an ECS ARN (arn:aws:ecs:REGION:ACCOUNT:TYPE/NAME)"));
  }
  return Arn{parts[3], parts[4], parts[5]};
}

std::string ShortId(absl::string_view arn_or_id) {
  const size_t slash = arn_or_id.rfind('/');
  return std::string(slash == absl::string_view::npos ? arn_or_id : arn_or_id.substr(slash + 1));
}

}  // namespace davit
