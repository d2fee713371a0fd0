#include "controller/rows/record.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::controller::rows {
namespace {

template <typename Message>
absl::StatusOr<Mutation> Parse(const std::string& key, const std::string& value) {
  auto record = std::make_shared<Message>();
  if (!record->ParseFromString(value)) {
    return absl::DataLossError(absl::StrCat("row ", key, " is not a ", record->GetTypeName()));
  }
  return Mutation{key, Ref<Message>(std::move(record))};
}

// State counts tasks by their status.
absl::StatusOr<Mutation> ParseTask(const std::string& key, const std::string& value) {
  ASSIGN_OR_RETURN(Mutation mutation, Parse<v1::StoredTask>(key, value));
  const int status = std::get<Ref<v1::StoredTask>>(mutation.record)->last_status();
  if (v1::TaskStatus::Value_IsValid(status)) return mutation;
  return absl::DataLossError(absl::StrCat("row ", key, " has an unknown status, ", status));
}

}  // namespace

std::string FamilyKey(absl::string_view family) { return absl::StrCat("family/", family); }

std::string KeyOf(const v1::StoredMeta& /*record*/) { return kMetaKey; }

std::string KeyOf(const v1::StoredTaskDefinition& record) {
  return absl::StrCat("task-definition/", record.content().family(), ":",
                      record.content().revision());
}

std::string KeyOf(const v1::StoredCluster& record) {
  return absl::StrCat("cluster/", record.name());
}

std::string KeyOf(const v1::StoredContainerInstance& record) {
  return absl::StrCat("instance/", record.cluster(), "/", record.id());
}

std::string KeyOf(const v1::StoredTask& record) {
  return absl::StrCat("task/", record.cluster(), "/", record.id());
}

std::string KeyOf(const Session& session) {
  return absl::StrCat("session/", session.cluster, "/", session.instance_id);
}

absl::string_view NameIn(absl::string_view key) { return key.substr(key.find('/') + 1); }

std::pair<absl::string_view, absl::string_view> SplitName(absl::string_view name) {
  const size_t slash = name.find('/');
  return {name.substr(0, slash), name.substr(slash + 1)};
}

bool IsErasure(const Mutation& mutation) {
  return std::visit([](const auto& record) { return record == nullptr; }, mutation.record);
}

std::optional<std::string> Encode(const Mutation& mutation) {
  return std::visit(
      [](const auto& record) -> std::optional<std::string> {
        using Type = std::decay_t<decltype(*record)>;
        if (record == nullptr) return std::nullopt;
        if constexpr (std::is_same_v<Type, Session>) {
          std::abort();
        } else {
          return record->SerializeAsString();
        }
      },
      mutation.record);
}

absl::StatusOr<Mutation> Decode(const std::string& key, const std::string& value) {
  if (key == kMetaKey) return Parse<v1::StoredMeta>(key, value);
  if (absl::StartsWith(key, "family/")) return Parse<v1::StoredFamily>(key, value);
  if (absl::StartsWith(key, "task-definition/")) {
    return Parse<v1::StoredTaskDefinition>(key, value);
  }
  if (absl::StartsWith(key, "cluster/")) return Parse<v1::StoredCluster>(key, value);
  if (absl::StartsWith(key, "instance/")) return Parse<v1::StoredContainerInstance>(key, value);
  if (absl::StartsWith(key, "task/")) return ParseTask(key, value);
  return absl::DataLossError(absl::StrCat("row ", key, " is of no kind that this version knows"));
}

absl::StatusOr<std::vector<Mutation>> DecodeAll(const Rows& rows) {
  std::vector<Mutation> mutations;
  mutations.reserve(rows.size());
  for (const auto& [key, value] : rows) {
    ASSIGN_OR_RETURN(Mutation mutation, Decode(key, value));
    mutations.push_back(std::move(mutation));
  }
  std::stable_sort(mutations.begin(), mutations.end(), [](const Mutation& a, const Mutation& b) {
    return a.record.index() < b.record.index();
  });
  return mutations;
}

}  // namespace davit::controller::rows
