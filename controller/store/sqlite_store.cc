#include "controller/store/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::controller::store {
namespace {

// 2: the same table with rows of format 2 (rows/migration.h), which older versions cannot read.
constexpr int kSchemaVersion = 2;

absl::Status ToStatus(const SQLite::Exception& error, const std::string& path) {
  const std::string text = absl::StrCat(path, ": ", error.what());
  switch (error.getErrorCode()) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat(text, " (restore it from a backup, or move it away to start empty)"));
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::FailedPreconditionError(
          absl::StrCat(text, ": is another davit-controller using it?"));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(text);
    case SQLITE_IOERR:
      return absl::UnavailableError(text);
    default:
      return absl::InternalError(text);
  }
}

std::string BlobOf(const SQLite::Column& column) {
  const int size = column.getBytes();
  if (size == 0) return "";
  return {static_cast<const char*>(column.getBlob()), static_cast<size_t>(size)};
}

}  // namespace

struct SqliteStore::Connection {
  explicit Connection(const std::string& path)
      : database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {}

  // Before any other use.
  absl::Status SetUp(const std::string& path) {
    database.exec("PRAGMA locking_mode=EXCLUSIVE");
    database.exec("PRAGMA journal_mode=WAL");
    database.exec("PRAGMA synchronous=FULL");
    // 40 MiB: a page that is written again and again is copied to the database once.
    database.exec("PRAGMA wal_autocheckpoint=10000");
    database.exec("PRAGMA cache_size=-16384");
    const int version = database.execAndGet("PRAGMA user_version").getInt();
    if (version > kSchemaVersion) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": has schema version ", version,
                       ", written by a newer davit-controller; this one knows ", kSchemaVersion));
    }
    const std::string health = database.execAndGet("PRAGMA quick_check(1)").getString();
    if (health != "ok") return absl::DataLossError(absl::StrCat(path, ": damaged: ", health));
    if (version < kSchemaVersion) {
      SQLite::Transaction transaction(database);
      database.exec(
          "CREATE TABLE IF NOT EXISTS row (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT "
          "ROWID");
      database.exec(absl::StrCat("PRAGMA user_version=", kSchemaVersion));
      transaction.commit();
    }
    put.emplace(database,
                "INSERT INTO row (key, value) VALUES (?1, ?2) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    erase.emplace(database, "DELETE FROM row WHERE key = ?1");
    get.emplace(database, "SELECT value FROM row WHERE key = ?1");
    return absl::OkStatus();
  }

  SQLite::Database database;
  std::optional<SQLite::Statement> put;
  std::optional<SQLite::Statement> erase;
  std::optional<SQLite::Statement> get;
};

SqliteStore::SqliteStore(std::string path, std::unique_ptr<Connection> connection)
    : path_(std::move(path)), connection_(std::move(connection)) {}

SqliteStore::~SqliteStore() { thread_.Stop(); }

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& folder) {
  RETURN_IF_ERROR(MakeDirectories(folder, 0700), "making the state folder ", folder);
  const std::string path = folder + "/controller.db";
  try {
    auto connection = std::make_unique<Connection>(path);
    RETURN_IF_ERROR(connection->SetUp(path));
    return std::unique_ptr<SqliteStore>(new SqliteStore(path, std::move(connection)));
  } catch (const SQLite::Exception& error) {
    return ToStatus(error, path);
  }
}

absl::StatusOr<rows::Rows> SqliteStore::LoadAll() {
  MutexLock lock(&mu_);
  try {
    rows::Rows rows;
    SQLite::Statement all(connection_->database, "SELECT key, value FROM row ORDER BY key");
    while (all.executeStep())
      rows.emplace_back(all.getColumn(0).getString(), BlobOf(all.getColumn(1)));
    has_failed_ = false;
    return rows;
  } catch (const SQLite::Exception& error) {
    return ToStatus(error, path_);
  }
}

void SqliteStore::Commit(std::vector<CommandRows> commands, Fence fence, Done done) {
  thread_.Post([this, commands = std::move(commands), fence = std::move(fence),
                done = std::move(done)]() mutable {
    absl::Status status;
    {
      MutexLock lock(&mu_);
      status = Write(commands, fence);
      has_failed_ = !status.ok();
    }
    if (status.ok() && watcher_) watcher_(commands);
    done(std::move(status));
  });
}

absl::Status SqliteStore::Write(const std::vector<CommandRows>& commands, const Fence& fence) {
  if (has_failed_) return absl::UnavailableError(absl::StrCat(path_, ": an earlier commit failed"));
  Connection& connection = *connection_;
  try {
    SQLite::Transaction transaction(connection.database);
    // Also after an error of the time before.
    connection.get->tryReset();
    connection.get->bindNoCopy(1, fence.key);
    std::optional<std::string> held;
    if (connection.get->executeStep()) held = BlobOf(connection.get->getColumn(0));
    connection.get->tryReset();
    if (held != fence.value) {
      return absl::FailedPreconditionError(
          absl::StrCat(path_, ": another davit-controller has written to it"));
    }
    for (const rows::Mutation* mutation : LastOfEachKey(commands)) {
      const std::optional<std::string> value = rows::Encode(*mutation);
      SQLite::Statement& statement = value ? *connection.put : *connection.erase;
      statement.tryReset();
      statement.bindNoCopy(1, mutation->key);
      if (value) statement.bindNoCopy(2, value->data(), static_cast<int>(value->size()));
      statement.exec();
      statement.tryReset();
    }
    transaction.commit();
    return absl::OkStatus();
  } catch (const SQLite::Exception& error) {
    return ToStatus(error, path_);
  }
}

}  // namespace davit::controller::store
