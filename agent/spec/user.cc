#include "agent/spec/user.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace davit::spec {
namespace {

constexpr uint32_t kMaxId = 2147483647;  // Docker's and the OCI runtime's limit: 2^31 - 1

struct PasswdLine {
  absl::string_view name;
  uint32_t uid = 0;
  uint32_t gid = 0;
};

struct GroupLine {
  absl::string_view name;
  uint32_t gid = 0;
  std::vector<absl::string_view> members;
};

std::optional<uint32_t> ParseId(absl::string_view text) {
  uint32_t id = 0;
  if (!absl::SimpleAtoi(text, &id) || id > kMaxId) return std::nullopt;
  return id;
}

bool IsNumber(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// name:password:uid:gid:comment:home:shell
std::vector<PasswdLine> ParsePasswd(absl::string_view text) {
  std::vector<PasswdLine> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(absl::StripAsciiWhitespace(line), ':');
    if (fields.size() < 4) continue;
    const std::optional<uint32_t> uid = ParseId(fields[2]);
    const std::optional<uint32_t> gid = ParseId(fields[3]);
    if (uid.has_value() && gid.has_value()) lines.push_back({fields[0], *uid, *gid});
  }
  return lines;
}

// name:password:gid:member,member
std::vector<GroupLine> ParseGroup(absl::string_view text) {
  std::vector<GroupLine> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(absl::StripAsciiWhitespace(line), ':');
    if (fields.size() < 3) continue;
    const std::optional<uint32_t> gid = ParseId(fields[2]);
    if (!gid.has_value()) continue;
    GroupLine parsed{fields[0], *gid, {}};
    if (fields.size() > 3) parsed.members = absl::StrSplit(fields[3], ',', absl::SkipEmpty());
    lines.push_back(std::move(parsed));
  }
  return lines;
}

absl::Status NotANumberInRange(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("user: ", text, " is above the largest id, ", kMaxId));
}

// Sets uid and gid of `user`. Returns the user's name, if passwd has it, for the search of groups.
absl::StatusOr<absl::string_view> FindUser(absl::string_view user_part, absl::string_view passwd,
                                           ResolvedUser* user) {
  const bool is_number = IsNumber(user_part);
  const std::optional<uint32_t> id = ParseId(user_part);
  if (is_number && !id.has_value()) return NotANumberInRange(user_part);
  for (const PasswdLine& line : ParsePasswd(passwd)) {
    const bool matches = user_part.empty() ? line.uid == 0
                         : is_number       ? line.uid == *id
                                           : line.name == user_part;
    if (!matches) continue;
    user->uid = line.uid;
    user->gid = line.gid;
    return line.name;
  }
  if (!user_part.empty() && !is_number) {
    return absl::InvalidArgumentError(
        absl::StrCat("user: '", user_part, "' is not in the image's /etc/passwd"));
  }
  user->uid = id.value_or(0);
  return absl::string_view();
}

absl::StatusOr<uint32_t> FindGroup(absl::string_view group_part,
                                   const std::vector<GroupLine>& groups) {
  const std::optional<uint32_t> id = ParseId(group_part);
  if (IsNumber(group_part)) {
    if (!id.has_value()) return NotANumberInRange(group_part);
    return *id;
  }
  for (const GroupLine& line : groups) {
    if (line.name == group_part) return line.gid;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("user: group '", group_part, "' is not in the image's /etc/group"));
}

}  // namespace

absl::StatusOr<ResolvedUser> ResolveUser(absl::string_view user, absl::string_view passwd,
                                         absl::string_view group) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(user, absl::MaxSplits(':', 1));
  ResolvedUser resolved;
  ASSIGN_OR_RETURN(const absl::string_view name, FindUser(parts.first, passwd, &resolved));
  const std::vector<GroupLine> groups = ParseGroup(group);
  if (!parts.second.empty()) {
    ASSIGN_OR_RETURN(resolved.gid, FindGroup(parts.second, groups));
  }
  resolved.additional_gids.push_back(resolved.gid);
  if (!parts.second.empty() || name.empty()) return resolved;
  for (const GroupLine& line : groups) {
    if (std::find(line.members.begin(), line.members.end(), name) == line.members.end()) continue;
    std::vector<uint32_t>& gids = resolved.additional_gids;
    if (std::find(gids.begin(), gids.end(), line.gid) == gids.end()) gids.push_back(line.gid);
  }
  return resolved;
}

}  // namespace davit::spec
