#include "agent/supervisor/tmpfs.h"

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

// The mount points at `folder` and below, outer ones first, from /proc/self/mountinfo (proc(5)).
absl::StatusOr<std::vector<std::string>> MountPointsBelow(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("/proc/self/mountinfo"));
  std::vector<std::string> points;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() < 5) continue;
    const std::string point = absl::StrReplaceAll(
        fields[4], {{"\\040", " "}, {"\\011", "\t"}, {"\\012", "\n"}, {"\\134", "\\"}});
    if (point == folder || absl::StartsWith(point, folder + "/")) points.push_back(point);
  }
  return points;
}

}  // namespace

absl::Status MountTmpfs(const std::string& folder, const std::string& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> points, MountPointsBelow(folder));
  if (!points.empty() && points.front() == folder) return absl::OkStatus();
  if (mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("mounting a tmpfs (", options, ") on ", folder));
  }
  return absl::OkStatus();
}

absl::Status UnmountBelow(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<std::string> points, MountPointsBelow(folder));
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    if (umount2(point->c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL &&
        errno != ENOENT) {
      return ErrnoStatus(errno, absl::StrCat("unmounting ", *point));
    }
  }
  return absl::OkStatus();
}

}  // namespace davit::supervisor
