#include "agent/store/schema.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include "absl/strings/str_cat.h"

namespace davit::store {
namespace {

constexpr const char* kSteps[] = {
    // "task/<task id>" -> TaskRecord, "registration" -> RegistrationRecord
    // (proto/davit/v1/record.proto). IF NOT EXISTS: agents older than this table of steps created
    // it before they wrote the version.
    "CREATE TABLE IF NOT EXISTS record (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
};

int VersionOf(SQLite::Database* database) {
  return database->execAndGet("PRAGMA user_version").getInt();
}

}  // namespace

SchemaSteps AgentSchema() { return kSteps; }

absl::Status ToStatus(const SQLite::Exception& error) {
  switch (error.getErrorCode()) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(error.what());
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
      return absl::UnavailableError(error.what());
    default:
      return absl::FailedPreconditionError(error.what());
  }
}

absl::Status CheckSchemaVersion(SQLite::Database* database, SchemaSteps steps) {
  const int version = VersionOf(database);
  if (version >= 0 && static_cast<size_t>(version) <= steps.size()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("has schema version ", version, ", but this davit-agent supports only up to ",
                   steps.size(), ": run the newer agent, or move the file away to start empty"));
}

void MigrateSchema(SQLite::Database* database, SchemaSteps steps) {
  for (auto version = static_cast<size_t>(VersionOf(database)); version < steps.size(); ++version) {
    SQLite::Transaction step(*database);
    database->exec(steps[version]);
    database->exec(absl::StrCat("PRAGMA user_version=", version + 1));
    step.commit();
  }
}

}  // namespace davit::store
