#include "agent/image/image_reference.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/image/digest.h"
#include "base/status.h"

namespace davit::image {
namespace {

constexpr absl::string_view kDockerHub = "docker.io";
constexpr absl::string_view kDockerHubRegistry = "registry-1.docker.io";
constexpr size_t kMaxNameBytes = 255;
constexpr size_t kMaxTagBytes = 128;

bool IsLowerOrDigit(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }
bool IsTagCharacter(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-'; }

// [a-z0-9]+ joined by one of ".", "_", "__" or any number of "-".
bool IsPathComponent(absl::string_view text) {
  if (text.empty() || !IsLowerOrDigit(text.front()) || !IsLowerOrDigit(text.back())) return false;
  for (size_t i = 0; i < text.size();) {
    if (IsLowerOrDigit(text[i])) {
      ++i;
      continue;
    }
    const size_t begin = i;
    while (i < text.size() && !IsLowerOrDigit(text[i])) ++i;
    const absl::string_view separator = text.substr(begin, i - begin);
    const bool dashes = separator.find_first_not_of('-') == absl::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
  }
  return true;
}

bool IsTag(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxTagBytes && text.front() != '.' &&
         text.front() != '-' && std::all_of(text.begin(), text.end(), IsTagCharacter);
}

bool IsPort(absl::string_view text) {
  int port = 0;
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); }) &&
         absl::SimpleAtoi(text, &port) && port >= 1 && port <= 65535;
}

bool IsHostLabel(absl::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-'; });
}

// name[.name...][:port] or [IPv6][:port].
bool IsHost(absl::string_view text) {
  if (absl::StartsWith(text, "[")) {
    const size_t close = text.find(']');
    if (close == absl::string_view::npos || close < 3) return false;
    const absl::string_view address = text.substr(1, close - 1);
    const absl::string_view rest = text.substr(close + 1);
    return address.find_first_not_of("0123456789abcdefABCDEF:.") == absl::string_view::npos &&
           (rest.empty() || (rest.front() == ':' && IsPort(rest.substr(1))));
  }
  const size_t colon = text.find(':');
  if (colon != absl::string_view::npos && !IsPort(text.substr(colon + 1))) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(text.substr(0, colon), '.');
  return std::all_of(labels.begin(), labels.end(), IsHostLabel);
}

// Docker's rule: the part before the first '/' is a host if it cannot be part of a repository name.
bool LooksLikeHost(absl::string_view text) {
  return text == "localhost" || text.find_first_of(".:[") != absl::string_view::npos ||
         absl::AsciiStrToLower(text) != text;
}

absl::Status Invalid(absl::string_view reference, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(
      "invalid reference format: '", Shorten(absl::CHexEscape(reference), 300), "': ", problem));
}

// Moves "@digest" and ":tag" from the end of `rest` into `reference`.
absl::Status TakeTagAndDigest(absl::string_view text, absl::string_view* rest,
                              ImageReference* reference) {
  if (const size_t at = rest->find('@'); at != absl::string_view::npos) {
    const absl::string_view digest = rest->substr(at + 1);
    if (!IsSha256Digest(digest)) {
      return Invalid(text, "the digest must be 'sha256:' and 64 lower-case hexadecimal digits");
    }
    reference->digest = std::string(digest);
    *rest = rest->substr(0, at);
  }
  const size_t colon = rest->rfind(':');
  const size_t slash = rest->rfind('/');
  if (colon != absl::string_view::npos && (slash == absl::string_view::npos || colon > slash)) {
    const absl::string_view tag = rest->substr(colon + 1);
    if (!IsTag(tag)) {
      return Invalid(text,
                     "a tag has 1 to 128 letters, digits, '_', '.' and '-', and does not "
                     "begin with '.' or '-'");
    }
    reference->tag = std::string(tag);
    *rest = rest->substr(0, colon);
  }
  return absl::OkStatus();
}

absl::Status CheckRepository(absl::string_view text, const ImageReference& reference) {
  if (reference.repository.empty()) return Invalid(text, "the repository name is missing");
  for (const absl::string_view part : absl::StrSplit(reference.repository, '/')) {
    if (IsPathComponent(part)) continue;
    if (absl::AsciiStrToLower(part) != part) {
      return Invalid(text, "the repository name must be lower-case");
    }
    return Invalid(text,
                   "a part of the repository name has letters and digits, joined by '.', "
                   "'_', '__' or '-'");
  }
  if (reference.host.size() + 1 + reference.repository.size() > kMaxNameBytes) {
    return Invalid(text, absl::StrCat("the name is longer than ", kMaxNameBytes, " bytes"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string ImageReference::ToString() const {
  return absl::StrCat(host, "/", repository, tag.empty() ? "" : ":", tag, digest.empty() ? "" : "@",
                      digest);
}

std::string ImageReference::RegistryHost() const {
  return host == kDockerHub ? std::string(kDockerHubRegistry) : host;
}

absl::StatusOr<ImageReference> ParseImageReference(absl::string_view text) {
  if (text.empty()) return Invalid(text, "the name is empty");
  ImageReference reference;
  absl::string_view rest = text;
  const size_t slash = rest.find('/');
  if (slash != absl::string_view::npos && LooksLikeHost(rest.substr(0, slash))) {
    const absl::string_view host = rest.substr(0, slash);
    if (!IsHost(host)) return Invalid(text, "the registry must be a host name with optional port");
    reference.host = std::string(host);
    rest = rest.substr(slash + 1);
  }
  RETURN_IF_ERROR(TakeTagAndDigest(text, &rest, &reference));
  reference.repository = std::string(rest);
  if (reference.host.empty() || reference.host == "index.docker.io") {
    if (reference.host.empty() && IsSha256Digest(absl::StrCat("sha256:", rest))) {
      return Invalid(text, "an image id (64 hexadecimal digits) is not a name");
    }
    reference.host = std::string(kDockerHub);
  }
  if (reference.host == kDockerHub && !rest.empty() && !absl::StrContains(rest, '/')) {
    reference.repository = absl::StrCat("library/", rest);
  }
  RETURN_IF_ERROR(CheckRepository(text, reference));
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

}  // namespace davit::image
