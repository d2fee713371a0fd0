#ifndef DAVIT_AGENT_STORE_DAMAGED_DATABASE_H_
#define DAVIT_AGENT_STORE_DAMAGED_DATABASE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::store {

// The result of replacing a damaged database.
struct Damage {
  std::string what;         // SQLite's message
  std::string set_aside;    // path of the damaged file now
  size_t records_kept = 0;  // copied into the new database; the others are unreadable
};

// Replaces the damaged database `path` by a new one with every readable record. The damaged file is
// kept as "PATH.damaged-UTC-TIME" (and its "-wal", if it has one). An interruption loses nothing:
// either the damaged file is still in place, or FinishReplacing() puts the new one there.
// Unavailable: no disk space for the new one.
absl::StatusOr<Damage> ReplaceDamaged(const std::string& path, absl::Time now);

// Completes an interrupted ReplaceDamaged(). Call it before opening `path`.
absl::Status FinishReplacing(const std::string& path);

}  // namespace davit::store

#endif  // DAVIT_AGENT_STORE_DAMAGED_DATABASE_H_
