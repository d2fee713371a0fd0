#ifndef DAVIT_AGENT_SPEC_USER_H_
#define DAVIT_AGENT_SPEC_USER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::spec {

struct ResolvedUser {
  uint32_t uid = 0;
  uint32_t gid = 0;
  // Begins with the primary group. Without it a process could drop a group that a file denies
  // access to (CVE-2022-36109).
  std::vector<uint32_t> additional_gids;

  friend bool operator==(const ResolvedUser&, const ResolvedUser&) = default;
};

// Resolves `user` ("", "name", "uid", "name:group", "uid:gid" and mixtures) with the image's
// /etc/passwd and /etc/group. Skips malformed lines. Supplementary groups are those that list the
// user, unless `user` names a group. InvalidArgument: a name is not in the files, or a number is
// above 2147483647. Source: GetExecUser() of the Open Container Initiative's libcontainer, which
// Docker uses.
absl::StatusOr<ResolvedUser> ResolveUser(absl::string_view user, absl::string_view passwd,
                                         absl::string_view group);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_USER_H_
