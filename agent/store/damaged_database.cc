#include "agent/store/damaged_database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <map>

#include "absl/strings/str_cat.h"
#include "agent/store/schema.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::store {
namespace {

using Rows = std::map<std::string, std::string>;

// The new database is "PATH.salvaging" until it is complete, and "PATH.salvaged" until it replaces
// PATH.
std::string Unfinished(const std::string& path) { return path + ".salvaging"; }
std::string Finished(const std::string& path) { return path + ".salvaged"; }

absl::Status Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0)
    return ErrnoStatus(errno, absl::StrCat("rename ", from, " to ", to));
  return SyncFolderOf(to);
}

// Links the damaged file under a second name, so that it has a name at every moment.
absl::StatusOr<std::string> LinkAside(const std::string& path, absl::Time now) {
  const std::string base =
      absl::StrCat(path, ".damaged-", absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone()));
  std::string aside = base;
  for (int i = 2; link(path.c_str(), aside.c_str()) != 0; ++i) {
    if (errno != EEXIST) return ErrnoStatus(errno, absl::StrCat("link ", path, " to ", aside));
    aside = absl::StrCat(base, "-", i);
  }
  const std::string log = path + "-wal";
  if (FileExists(log) && link(log.c_str(), (aside + "-wal").c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("link ", log));
  }
  return aside;
}

void ReadUntilDamage(const SQLite::Database& database, const char* query, Rows* rows) {
  try {
    SQLite::Statement statement(database, query);
    while (statement.executeStep()) {
      rows->emplace(statement.getColumn(0).getString(), statement.getColumn(1).getString());
    }
  } catch (const SQLite::Exception&) {  // rows behind the damage may be readable from the other end
  }
}

Rows ReadWhatIsLeft(const std::string& path) {
  Rows rows;
  try {
    // Read-only: when the last writable connection closes, SQLite would write the WAL into the
    // damaged file.
    const SQLite::Database database(path, SQLite::OPEN_READONLY);
    // Allows SQLite to read a file that is shorter than its header says.
    sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, nullptr);
    ReadUntilDamage(database, "SELECT key, value FROM record ORDER BY key", &rows);
    ReadUntilDamage(database, "SELECT key, value FROM record ORDER BY key DESC", &rows);
  } catch (const SQLite::Exception&) {  // nothing is readable
  }
  return rows;
}

absl::Status WriteNew(const std::string& path, const Rows& rows) {
  try {
    SQLite::Database database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    MigrateSchema(&database, AgentSchema());
    SQLite::Transaction transaction(database);
    SQLite::Statement insert(database, "INSERT INTO record (key, value) VALUES (?, ?)");
    for (const auto& [key, value] : rows) {
      insert.reset();
      insert.bindNoCopy(1, key);
      insert.bindNoCopy(2, value.data(), static_cast<int>(value.size()));
      insert.exec();
    }
    transaction.commit();
    return absl::OkStatus();
  } catch (const SQLite::Exception& error) {
    return Annotate(ToStatus(error), path);
  }
}

}  // namespace

absl::StatusOr<Damage> ReplaceDamaged(const std::string& path, absl::Time now) {
  Damage damage;
  ASSIGN_OR_RETURN(damage.set_aside, LinkAside(path, now));
  const bool had_log = !ReadFile(damage.set_aside + "-wal").value_or("").empty();
  const Rows rows = ReadWhatIsLeft(damage.set_aside);
  RETURN_IF_ERROR(RemoveAll(damage.set_aside + "-shm"));  // created by the read
  if (!had_log) RETURN_IF_ERROR(RemoveAll(damage.set_aside + "-wal"));
  damage.records_kept = rows.size();
  RETURN_IF_ERROR(RemoveAll(Unfinished(path)));
  RETURN_IF_ERROR(RemoveAll(Unfinished(path) + "-journal"));
  RETURN_IF_ERROR(WriteNew(Unfinished(path), rows));
  RETURN_IF_ERROR(Rename(Unfinished(path), Finished(path)));
  RETURN_IF_ERROR(FinishReplacing(path));
  return damage;
}

absl::Status FinishReplacing(const std::string& path) {
  if (!FileExists(Finished(path))) return absl::OkStatus();
  // The damaged file's log must not be applied to the new one.
  RETURN_IF_ERROR(RemoveAll(path + "-wal"));
  RETURN_IF_ERROR(RemoveAll(path + "-shm"));
  RETURN_IF_ERROR(SyncFolderOf(path));
  return Rename(Finished(path), path);
}

}  // namespace davit::store
