#ifndef DAVIT_AGENT_STORE_SCHEMA_H_
#define DAVIT_AGENT_STORE_SCHEMA_H_

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace SQLite {
class Database;
class Exception;
}  // namespace SQLite

namespace davit::store {

// The schema as a list of steps: steps[n] is the SQL that migrates a database from version n to
// version n + 1. Version 0 is an empty file. A released step never changes.
using SchemaSteps = absl::Span<const char* const>;
SchemaSteps AgentSchema();

// Maps an SQLite error to a status. DataLoss: the file is damaged or not a database. Unavailable:
// disk full, I/O error, locked. FailedPrecondition: all others.
absl::Status ToStatus(const SQLite::Exception& error);

// FailedPrecondition: the database has a higher version than `steps` reach; the message names both.
// Changes nothing. Throws SQLite::Exception.
absl::Status CheckSchemaVersion(SQLite::Database* database, SchemaSteps steps);
// Runs the missing steps. Each is one transaction that also raises the version (PRAGMA
// user_version), so after a crash the database has one version or the next. Throws
// SQLite::Exception; steps before the failing one stay done.
void MigrateSchema(SQLite::Database* database, SchemaSteps steps);

}  // namespace davit::store

#endif  // DAVIT_AGENT_STORE_SCHEMA_H_
