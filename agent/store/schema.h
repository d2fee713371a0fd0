#ifndef DAVIT_AGENT_STORE_SCHEMA_H_
#define DAVIT_AGENT_STORE_SCHEMA_H_

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace SQLite {
class Database;
class Exception;
}  // namespace SQLite

namespace davit::store {

// The schema as the steps that lead to it: steps[n] is the SQL that makes a database of version n
// one of version n + 1; 0 is an empty file. A step that was released never changes.
using SchemaSteps = absl::Span<const char* const>;
SchemaSteps AgentSchema();

// DataLoss: the file is damaged or no database. Unavailable: disk full, I/O error, locked.
// FailedPrecondition: the rest.
absl::Status ToStatus(const SQLite::Exception& error);

// FailedPrecondition: the database has a higher version than `steps` lead to (both are named);
// nothing was changed. Throws SQLite::Exception.
absl::Status CheckSchemaVersion(SQLite::Database* database, SchemaSteps steps);
// Takes the missing steps. Each is one transaction that also raises the version (PRAGMA
// user_version): after a crash the database has one version or the next. Throws SQLite::Exception;
// the steps before the failing one stay taken.
void MigrateSchema(SQLite::Database* database, SchemaSteps steps);

}  // namespace davit::store

#endif  // DAVIT_AGENT_STORE_SCHEMA_H_
