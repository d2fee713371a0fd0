#include "agent/secret/secret_reference.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace davit::secret {
namespace {

constexpr size_t kSuffix = 7;  // "-a1B2c3"

using Parts = std::vector<std::string>;

std::string PartAt(const Parts& parts, size_t index) {
  return index < parts.size() ? parts[index] : "";
}

absl::Status NotASecret(absl::string_view value_from) {
  return absl::InvalidArgumentError(
      absl::StrCat("valueFrom '", value_from,
                   "' is neither the ARN of a Secrets Manager secret nor the ARN or name of a "
                   "Systems Manager parameter"));
}

}  // namespace

absl::StatusOr<SecretReference> ParseSecretReference(absl::string_view value_from) {
  SecretReference reference;
  if (!absl::StartsWith(value_from, "arn:")) {
    if (value_from.empty()) return NotASecret(value_from);
    reference.id = reference.name = std::string(value_from);
    return reference;
  }
  const Parts parts = absl::StrSplit(value_from, ':');
  if (parts.size() < 6) return NotASecret(value_from);
  reference.region = parts[3];
  if (parts[2] == "ssm") {
    absl::string_view resource = parts[5];
    if (!absl::ConsumePrefix(&resource, "parameter/") || resource.empty()) {
      return NotASecret(value_from);
    }
    reference.id = std::string(value_from);
    reference.name = absl::StrCat("/", resource);
    return reference;
  }
  if (parts[2] != "secretsmanager" || parts[5] != "secret" || PartAt(parts, 6).empty()) {
    return NotASecret(value_from);
  }
  reference.kind = SecretReference::Kind::kSecretsManager;
  reference.id = absl::StrJoin(parts.begin(), parts.begin() + 7, ":");
  reference.name = parts[6];
  reference.json_key = PartAt(parts, 7);
  reference.version_stage = PartAt(parts, 8);
  reference.version_id = PartAt(parts, 9);
  return reference;
}

std::vector<std::string> PlainNames(const SecretReference& reference) {
  absl::string_view name = reference.name;
  absl::ConsumePrefix(&name, "/");
  std::vector<std::string> names = {std::string(name)};
  if (reference.kind == SecretReference::Kind::kSecretsManager && name.size() > kSuffix) {
    const absl::string_view suffix = name.substr(name.size() - kSuffix);
    if (suffix.front() == '-' &&
        std::all_of(suffix.begin() + 1, suffix.end(), absl::ascii_isalnum)) {
      names.emplace_back(name.substr(0, name.size() - kSuffix));
    }
  }
  return names;
}

absl::StatusOr<std::string> SelectJsonKey(const std::string& value, const std::string& key) {
  const nlohmann::json object = nlohmann::json::parse(value, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains(key)) {
    return absl::NotFoundError(
        absl::StrCat("the secret is not a JSON object with the key '", key, "'"));
  }
  const nlohmann::json& member = object[key];
  return member.is_string() ? member.get<std::string>() : member.dump();
}

}  // namespace davit::secret
