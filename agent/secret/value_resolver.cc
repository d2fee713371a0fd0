#include "agent/secret/value_resolver.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/secret/environment_file.h"
#include "base/status.h"

namespace davit::secret {
namespace {

constexpr char kErrorName[] = "ResourceInitializationError";

const google::protobuf::RepeatedPtrField<v1::EnvironmentFile>& FilesOf(
    const v1::ContainerDefinition& container, const v1::ContainerOverride& overrides) {
  return overrides.environment_files().empty() ? container.environment_files()
                                               : overrides.environment_files();
}

bool HasSecret(const v1::ContainerDefinition& container, absl::string_view name) {
  return std::any_of(container.secrets().begin(), container.secrets().end(),
                     [name](const v1::Secret& secret) { return secret.name() == name; });
}

// A label without its secret is a mistake: the program would lack its password.
absl::Status CheckLabels(const v1::ContainerDefinition& container) {
  for (const auto& [label, path] : container.docker_labels()) {
    if (!absl::StartsWith(label, kSecretFileLabel)) continue;
    if (!HasSecret(container, label.substr(sizeof kSecretFileLabel - 1))) {
      return absl::InvalidArgumentError(
          absl::StrCat("dockerLabels '", label, "': `secrets` has no secret of that name"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool ValueResolver::IsNeeded(const v1::ContainerDefinition& container,
                             const v1::ContainerOverride& overrides) {
  return !container.secrets().empty() || !FilesOf(container, overrides).empty() ||
         !CheckLabels(container).ok();
}

absl::StatusOr<std::string> ValueResolver::GetSecret(
    const std::string& value_from, std::map<std::string, std::string>* fetched) const {
  ASSIGN_OR_RETURN(const SecretReference reference, ParseSecretReference(value_from));
  const std::string identity =
      absl::StrJoin({reference.id, reference.version_stage, reference.version_id}, " ");
  std::vector<std::string> misses;
  for (const SecretSource* source : sources_) {
    if (fetched->count(identity) > 0) break;
    const absl::StatusOr<std::string> value = source->Get(reference);
    if (value.ok()) {
      fetched->emplace(identity, *value);
    } else if (value.status().code() == absl::StatusCode::kNotFound ||
               value.status().code() == absl::StatusCode::kFailedPrecondition) {
      misses.emplace_back(value.status().message());
    } else {
      return value.status();
    }
  }
  const auto found = fetched->find(identity);
  if (found == fetched->end()) return absl::NotFoundError(absl::StrJoin(misses, "; "));
  if (reference.json_key.empty()) return found->second;
  return SelectJsonKey(found->second, reference.json_key);
}

absl::Status ValueResolver::AddSecrets(const v1::ContainerDefinition& container,
                                       ResolvedValues* values) const {
  std::map<std::string, std::string> fetched;
  for (const v1::Secret& secret : container.secrets()) {
    ASSIGN_OR_RETURN(std::string value, GetSecret(secret.value_from(), &fetched), kErrorName,
                     ": secret ", secret.name(), " of container '", container.name(), "'");
    const auto label = container.docker_labels().find(kSecretFileLabel + secret.name());
    if (label == container.docker_labels().end()) {
      values->secrets[secret.name()] = std::move(value);
    } else {
      values->secret_files[label->second] = std::move(value);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ResolvedValues> ValueResolver::Resolve(
    const v1::ContainerDefinition& container, const v1::ContainerOverride& overrides) const {
  ResolvedValues values;
  RETURN_IF_ERROR(CheckLabels(container), kErrorName, ": container '", container.name(), "'");
  for (const v1::EnvironmentFile& file : FilesOf(container, overrides)) {
    ASSIGN_OR_RETURN(const std::string text, FetchEnvironmentFile(file.value(), *aws_), kErrorName,
                     ": environmentFiles of container '", container.name(), "'");
    values.file_environment.merge(ParseEnvironmentFile(text));  // existing values stay
  }
  RETURN_IF_ERROR(AddSecrets(container, &values));
  return values;
}

}  // namespace davit::secret
