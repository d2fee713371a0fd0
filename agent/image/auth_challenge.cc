#include "agent/image/auth_challenge.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace davit::image {
namespace {

// The specification's default lifetime.
constexpr absl::Duration kDefaultLifetime = absl::Seconds(60);
constexpr absl::Duration kMaxLifetime = absl::Hours(24);

// Splits a header's text into tokens.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  void SkipSpace() { rest_ = absl::StripLeadingAsciiWhitespace(rest_); }
  void SkipSpaceAndCommas() {
    while (!rest_.empty() && (rest_.front() == ',' || absl::ascii_isspace(rest_.front()))) {
      rest_.remove_prefix(1);
    }
  }
  bool Take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Up to a separator; may be empty.
  absl::string_view Token() {
    const size_t end = rest_.find_first_of(" \t,=\"");
    const absl::string_view token = rest_.substr(0, end);
    rest_.remove_prefix(token.size());
    return token;
  }
  // Reads the rest of a quoted string. nullopt: no closing quote.
  std::optional<std::string> Quoted() {
    std::string text;
    for (size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text.push_back(rest_[i]);
    }
    return std::nullopt;
  }

 private:
  absl::string_view rest_;
};

struct RawChallenge {
  std::string scheme;                             // lower case
  std::map<std::string, std::string> parameters;  // names in lower case
};

// The challenges of a header, up to the first part that is not a challenge.
std::vector<RawChallenge> SplitChallenges(absl::string_view header) {
  std::vector<RawChallenge> challenges;
  Scanner scanner(header);
  for (scanner.SkipSpaceAndCommas(); !scanner.AtEnd(); scanner.SkipSpaceAndCommas()) {
    const absl::string_view name = scanner.Token();
    if (name.empty()) break;
    scanner.SkipSpace();
    if (!scanner.Take('=')) {
      challenges.push_back({absl::AsciiStrToLower(name), {}});
      continue;
    }
    scanner.SkipSpace();
    std::optional<std::string> value;
    if (scanner.Take('"')) {
      value = scanner.Quoted();
    } else {
      value = std::string(scanner.Token());
    }
    if (!value.has_value() || challenges.empty()) break;
    challenges.back().parameters.emplace(absl::AsciiStrToLower(name), *std::move(value));
  }
  return challenges;
}

std::string Parameter(const RawChallenge& challenge, const char* name) {
  const auto found = challenge.parameters.find(name);
  return found == challenge.parameters.end() ? "" : found->second;
}

}  // namespace

absl::StatusOr<AuthChallenge> ParseAuthChallenge(absl::string_view header) {
  std::optional<AuthChallenge> basic;
  for (const RawChallenge& challenge : SplitChallenges(header)) {
    const std::string realm = Parameter(challenge, "realm");
    if (challenge.scheme == "bearer" && !realm.empty()) {
      return AuthChallenge{AuthChallenge::Scheme::kBearer, realm, Parameter(challenge, "service"),
                           Parameter(challenge, "scope")};
    }
    if (challenge.scheme == "basic") {
      basic = AuthChallenge{AuthChallenge::Scheme::kBasic, realm, "", ""};
    }
  }
  if (basic.has_value()) return *basic;
  return absl::UnauthenticatedError("the registry requires an unknown kind of login");
}

absl::StatusOr<AuthToken> ParseAuthToken(absl::string_view json) {
  using Json = nlohmann::json;
  const Json document = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  AuthToken token{"", kDefaultLifetime};
  if (document.is_object()) {
    for (const char* name : {"token", "access_token"}) {
      const auto found = document.find(name);
      if (found == document.end() || !found->is_string() || !token.token.empty()) continue;
      token.token = found->get<std::string>();
    }
    const auto lifetime = document.find("expires_in");
    if (lifetime != document.end() && lifetime->is_number()) {
      const double seconds = lifetime->get<double>();
      if (seconds > 0) token.lifetime = std::min(absl::Seconds(seconds), kMaxLifetime);
    }
  }
  // A line break would let the token service add headers to our requests.
  if (token.token.empty() || token.token.find_first_of("\r\n") != std::string::npos) {
    return absl::UnauthenticatedError("the registry's token service returned no token");
  }
  return token;
}

}  // namespace davit::image
