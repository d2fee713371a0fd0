#include "agent/log/log_uri.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace davit::log {
namespace {

// Percent-encodes (RFC 3986) everything except unreserved characters and those in `also_plain`.
std::string PercentEncode(absl::string_view text, absl::string_view also_plain) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const absl::string_view unreserved = "-._~";
    if (absl::ascii_isalnum(byte) || unreserved.find(c) != absl::string_view::npos ||
        also_plain.find(c) != absl::string_view::npos) {
      out += c;
    } else {
      absl::StrAppend(&out, "%", absl::Hex(byte, absl::kZeroPad2));
    }
  }
  return out;
}

}  // namespace

std::string LogUri(const LogOptions& options) {
  return absl::StrCat("binary://", PercentEncode(options.logger_path, "/"),
                      "?file=", PercentEncode(options.file, ""), "&max_files=", options.max_files,
                      "&max_size=", options.max_size_bytes);
}

}  // namespace davit::log
