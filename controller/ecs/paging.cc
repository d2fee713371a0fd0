#include "controller/ecs/paging.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "controller/ecs/ecs_error.h"

namespace davit::controller::ecs {
namespace {

// FNV-1a: enough to notice a token that was cut, mixed up or made by hand. A token gives no rights.
uint32_t Checksum(absl::string_view text) {
  uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::string Digest(absl::string_view operation, absl::string_view key) {
  return absl::StrFormat("%08x", Checksum(absl::StrCat(operation, "\n", key)));
}

}  // namespace

std::string MakeToken(absl::string_view operation, absl::string_view last_key) {
  return absl::WebSafeBase64Escape(absl::StrCat(Digest(operation, last_key), last_key));
}

absl::StatusOr<Page> ParsePage(absl::string_view operation, bool has_max_results, int max_results,
                               absl::string_view token) {
  Page page;
  if (has_max_results) {
    if (max_results < 1 || max_results > 100) {
      return InvalidParameter(absl::StrCat("maxResults: must be in 1..100, is ", max_results));
    }
    page.size = static_cast<size_t>(max_results);
  }
  if (token.empty()) return page;
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text) || text.size() < 8 ||
      text.substr(0, 8) != Digest(operation, text.substr(8))) {
    return InvalidParameter("nextToken: Invalid token.");
  }
  page.after = text.substr(8);
  return page;
}

}  // namespace davit::controller::ecs
