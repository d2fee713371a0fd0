#ifndef DAVIT_BASE_FILE_H_
#define DAVIT_BASE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit {

// Reads and writes whole files. All calls block on the disk. Errors name the path; the code follows
// errno (NotFound, PermissionDenied, ...).
absl::StatusOr<std::string> ReadFile(const std::string& path);
// Replaces the file atomically: readers see the old text or the new. OK means that the new text is
// durable; after an error the old text remains. One writer per path at a time: the new text is
// first written to "PATH.new".
absl::Status WriteFileAtomically(const std::string& path, absl::string_view text,
                                 unsigned mode = 0644);
// The same without waiting for the disk, for files that are recreated after a reboot. A crash of
// the program loses nothing.
absl::Status WriteFileUntilReboot(const std::string& path, absl::string_view text,
                                  unsigned mode = 0644);
// Makes the entry of `path` in its folder durable. Call after a rename, link or removal.
absl::Status SyncFolderOf(const std::string& path);
// Creates `path` and its parent folders; OK if they exist.
absl::Status MakeDirectories(const std::string& path, unsigned mode = 0755);
// Removes a file or a whole folder; OK if it does not exist.
absl::Status RemoveAll(const std::string& path);
bool FileExists(const std::string& path);

}  // namespace davit

#endif  // DAVIT_BASE_FILE_H_
