#include "agent/image/digest.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/sha256.h"

namespace davit::image {
namespace {

constexpr absl::string_view kPrefix = "sha256:";
constexpr size_t kHexDigits = 64;

}  // namespace

std::string Sha256Digest(absl::string_view content) {
  return absl::StrCat(kPrefix, Sha256Hex(content));
}

bool IsSha256Digest(absl::string_view text) {
  if (!absl::StartsWith(text, kPrefix)) return false;
  text.remove_prefix(kPrefix.size());
  return text.size() == kHexDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::vector<std::string> ChainIds(const std::vector<std::string>& diff_ids) {
  std::vector<std::string> chain;
  chain.reserve(diff_ids.size());
  for (const std::string& diff_id : diff_ids) {
    chain.push_back(chain.empty() ? diff_id
                                  : Sha256Digest(absl::StrCat(chain.back(), " ", diff_id)));
  }
  return chain;
}

}  // namespace davit::image
