#ifndef DAVIT_AGENT_STORE_DAMAGED_DATABASE_H_
#define DAVIT_AGENT_STORE_DAMAGED_DATABASE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::store {

// What was done about a damaged database.
struct Damage {
  std::string what;         // SQLite's words
  std::string set_aside;    // where the damaged file is now
  size_t records_kept = 0;  // copied into the new database; what else there was cannot be read
};

// Replaces the damaged database `path` by a new one with every record that can still be read. The
// damaged file stays as
// "<path>.damaged-<UTC time>" (with "-wal", if there was one). Interrupted at any point, nothing is
// lost: the damaged file is still there, or FinishReplacing() puts the new one in its place.
// Unavailable: no space for the new one.
absl::StatusOr<Damage> ReplaceDamaged(const std::string& path, absl::Time now);

// Ends what an interrupted ReplaceDamaged() left. Call before `path` is opened.
absl::Status FinishReplacing(const std::string& path);

}  // namespace davit::store

#endif  // DAVIT_AGENT_STORE_DAMAGED_DATABASE_H_
