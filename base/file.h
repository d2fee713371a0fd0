#ifndef DAVIT_BASE_FILE_H_
#define DAVIT_BASE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit {

// Whole files. All calls block on the disk. Errors name the path; codes as by errno (NotFound,
// PermissionDenied, ...).
absl::StatusOr<std::string> ReadFile(const std::string& path);
// Replaces `path` at once: readers see the old text or the new. The text is durable when it returns
// OK; after an error the old one is there. One writer per path at a time: "PATH.new" holds the text
// meanwhile.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view text,
                                 unsigned mode = 0644);
// The same without waiting for the disk: for what is made anew when the machine begins again. A
// program that dies loses nothing.
absl::Status WriteFileUntilReboot(const std::string& path, absl::string_view text,
                                  unsigned mode = 0644);
// Makes the entry of `path` in its folder durable: after a rename, a link or a removal.
absl::Status SyncFolderOf(const std::string& path);
// Makes `path` and the folders above it; OK if there.
absl::Status MakeDirectories(const std::string& path, unsigned mode = 0755);
// Removes a file or a whole folder; OK if already gone.
absl::Status RemoveAll(const std::string& path);
bool FileExists(const std::string& path);

}  // namespace davit

#endif  // DAVIT_BASE_FILE_H_
