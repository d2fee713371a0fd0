#include "agent/store/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <pthread.h>
#include <sqlite3.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/log.h"
#include "base/status.h"

namespace davit::store {
namespace {

constexpr absl::string_view kTaskPrefix = "task/";
constexpr absl::string_view kRegistrationKey = "registration";
constexpr absl::Duration kRetryPause = absl::Seconds(1);

absl::Status FromException(const SQLite::Exception& error) {
  const int code = error.getErrorCode();
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return absl::DataLossError(error.what());
  if (code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_BUSY) return absl::UnavailableError(error.what());
  return absl::FailedPreconditionError(error.what());
}

void SetUpSchema(SQLite::Database* database) {
  database->exec("PRAGMA journal_mode=WAL");
  database->exec("PRAGMA synchronous=FULL");
  database->exec("CREATE TABLE IF NOT EXISTS record (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
  database->exec(absl::StrCat("PRAGMA user_version=", SqliteStore::kSchemaVersion));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path) {
  try {
    auto database = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5000);
    const int version = database->execAndGet("PRAGMA user_version").getInt();
    if (version > kSchemaVersion) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " has schema version ", version, ", this davit-agent knows up to ", kSchemaVersion,
                       ": run the newer agent, or move the file away to start empty"));
    }
    SetUpSchema(database.get());
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(database)));
  } catch (const SQLite::Exception& error) {
    return Annotate(FromException(error), path);
  }
}

SqliteStore::SqliteStore(std::unique_ptr<SQLite::Database> database) : database_(std::move(database)) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "store");
    Run();
  });
}

SqliteStore::~SqliteStore() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

absl::StatusOr<StoredState> SqliteStore::Load() {
  StoredState state;
  try {
    SQLite::Statement query(*database_, "SELECT key, value FROM record ORDER BY key");
    while (query.executeStep()) {
      const std::string key = query.getColumn(0).getString();
      const SQLite::Column value = query.getColumn(1);
      google::protobuf::MessageLite* into = &state.registration;
      if (absl::StartsWith(key, kTaskPrefix)) into = &state.tasks.emplace_back();
      if (!into->ParseFromArray(value.getBlob(), value.getBytes())) {
        return absl::DataLossError(absl::StrCat("record ", key, " cannot be decoded"));
      }
    }
  } catch (const SQLite::Exception& error) {
    return Annotate(FromException(error), "loading the agent's records");
  }
  return state;
}

void SqliteStore::Add(Write write) {
  {
    MutexLock lock(&mu_);
    queue_.push_back(std::move(write));
  }
  changed_.NotifyOne();
}

void SqliteStore::SaveTask(const std::string& task_id, v1::TaskRecord record, Work done) {
  Add(Write{absl::StrCat(kTaskPrefix, task_id), record.SerializeAsString(), std::move(done)});
}

void SqliteStore::RemoveTask(const std::string& task_id) {
  Add(Write{absl::StrCat(kTaskPrefix, task_id), "", nullptr});
}

void SqliteStore::SaveRegistration(v1::RegistrationRecord record) {
  Add(Write{std::string(kRegistrationKey), record.SerializeAsString(), nullptr});
}

absl::Status SqliteStore::Health() const {
  MutexLock lock(&mu_);
  return health_;
}

absl::Status SqliteStore::Commit(const std::deque<Write>& writes) {
  try {
    SQLite::Transaction transaction(*database_);
    SQLite::Statement put(*database_, "INSERT OR REPLACE INTO record (key, value) VALUES (?, ?)");
    SQLite::Statement erase(*database_, "DELETE FROM record WHERE key = ?");
    for (const Write& write : writes) {
      SQLite::Statement& statement = write.value.empty() ? erase : put;
      statement.reset();
      statement.bindNoCopy(1, write.key);
      if (!write.value.empty()) statement.bindNoCopy(2, write.value.data(), static_cast<int>(write.value.size()));
      statement.exec();
    }
    transaction.commit();
    return absl::OkStatus();
  } catch (const SQLite::Exception& error) {
    return Annotate(FromException(error), "writing the agent's records");
  }
}

void SqliteStore::Run() {
  std::deque<Write> batch;
  for (;;) {
    {
      MutexLock lock(&mu_);
      while (queue_.empty() && batch.empty() && !stopping_) changed_.Wait(&mu_);
      while (!queue_.empty()) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      if (batch.empty()) return;
    }
    const absl::Status committed = Commit(batch);
    if (committed.ok()) {
      for (Write& write : batch) {
        if (write.done) std::move(write.done)();
      }
      batch.clear();
    }
    MutexLock lock(&mu_);
    if (committed.code() != health_.code()) {
      LogWarning("store state changed", {{"status", committed}});
    }
    health_ = committed;
    if (!committed.ok()) {
      if (stopping_) return;
      changed_.WaitFor(&mu_, kRetryPause);
    }
  }
}

}  // namespace davit::store
