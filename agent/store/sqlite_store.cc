#include "agent/store/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <pthread.h>
#include <sqlite3.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"

namespace davit::store {
namespace {

constexpr absl::string_view kTaskPrefix = "task/";
constexpr absl::string_view kRegistrationKey = "registration";
constexpr absl::Duration kRetryPause = absl::Seconds(1);
constexpr absl::Duration kHangsAfter = absl::Seconds(10);

// False: this agent cannot decode the record.
bool Decode(absl::string_view key, const void* value, int size, StoredState* state) {
  if (key == kRegistrationKey) {
    v1::RegistrationRecord registration;
    if (!registration.ParseFromArray(value, size)) return false;
    state->registration = std::move(registration);
    return true;
  }
  v1::TaskRecord task;
  if (!absl::StartsWith(key, kTaskPrefix) || !task.ParseFromArray(value, size)) return false;
  state->tasks.push_back(std::move(task));
  return true;
}

// Throws SQLite::Exception.
absl::Status SetUp(SQLite::Database* database, SchemaSteps steps) {
  database->exec("PRAGMA locking_mode=EXCLUSIVE");
  // Until the version is checked, closing the database must not write its WAL into it.
  sqlite3_db_config(database->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  RETURN_IF_ERROR(CheckSchemaVersion(database, steps));
  const std::string check = database->execAndGet("PRAGMA quick_check(1)").getString();
  if (check != "ok") return absl::DataLossError(check);
  sqlite3_db_config(database->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  database->exec("PRAGMA journal_mode=WAL");
  database->exec("PRAGMA synchronous=FULL");
  MigrateSchema(database, steps);
  if (!database->tableExists("record")) return absl::DataLossError("it lacks the table of records");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path,
                                                               SchemaSteps steps,
                                                               const Clock* clock) {
  try {
    auto database =
        std::make_unique<SQLite::Database>(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    RETURN_IF_ERROR(SetUp(database.get(), steps), path);
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(database), clock));
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_BUSY) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is in use: is another davit-agent running?"));
    }
    return Annotate(ToStatus(error), path);
  }
}

absl::StatusOr<SqliteStore::Opened> SqliteStore::OpenOrSetAside(const std::string& path,
                                                                absl::Time now) {
  RETURN_IF_ERROR(FinishReplacing(path));
  absl::StatusOr<std::unique_ptr<SqliteStore>> store = Open(path);
  std::optional<Damage> damage;
  if (store.status().code() == absl::StatusCode::kDataLoss) {
    ASSIGN_OR_RETURN(damage, ReplaceDamaged(path, now));
    damage->what = std::string(store.status().message());
    store = Open(path);
  }
  if (!store.ok()) return store.status();
  return Opened{*std::move(store), std::move(damage)};
}

SqliteStore::SqliteStore(std::unique_ptr<SQLite::Database> database, const Clock* clock)
    : database_(std::move(database)), clock_(clock) {
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
      if (!Decode(key, value.getBlob(), value.getBytes(), &state)) state.undecodable.push_back(key);
    }
  } catch (const SQLite::Exception& error) {
    return Annotate(ToStatus(error), "loading the agent's records");
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
  Add(Write{absl::StrCat(kTaskPrefix, task_id), std::nullopt, nullptr});
}

void SqliteStore::SaveRegistration(v1::RegistrationRecord record) {
  Add(Write{std::string(kRegistrationKey), record.SerializeAsString(), nullptr});
}

absl::Status SqliteStore::Health() const {
  const absl::Duration now = clock_->Monotonic();
  MutexLock lock(&mu_);
  if (commit_began_ && now - *commit_began_ >= kHangsAfter) {
    return absl::UnavailableError(absl::StrCat("writing the agent's records has not returned for ",
                                               absl::ToInt64Seconds(now - *commit_began_),
                                               " s: its disk hangs"));
  }
  return health_;
}

absl::Status SqliteStore::Commit(const std::deque<Write>& writes) {
  try {
    SQLite::Transaction transaction(*database_);
    SQLite::Statement put(*database_, "INSERT OR REPLACE INTO record (key, value) VALUES (?, ?)");
    SQLite::Statement erase(*database_, "DELETE FROM record WHERE key = ?");
    for (const Write& write : writes) {
      SQLite::Statement& statement = write.value ? put : erase;
      statement.reset();
      statement.bindNoCopy(1, write.key);
      if (write.value)
        statement.bindNoCopy(2, write.value->data(), static_cast<int>(write.value->size()));
      statement.exec();
    }
    transaction.commit();
    return absl::OkStatus();
  } catch (const SQLite::Exception& error) {
    return Annotate(ToStatus(error), "writing the agent's records");
  }
}

void SqliteStore::NoteOutcome(const absl::Status& committed) {
  bool has_changed = false;
  {
    MutexLock lock(&mu_);
    commit_began_.reset();
    has_changed = committed.code() != health_.code();
    health_ = committed;
  }
  if (has_changed) LogWarning("store state changed", {{"status", committed}});
}

void SqliteStore::Run() {
  std::deque<Write> batch;  // writes that are not durable yet, in the order of the saves
  for (;;) {
    {
      MutexLock lock(&mu_);
      while (queue_.empty() && batch.empty() && !stopping_) changed_.Wait(&mu_);
      while (!queue_.empty()) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      if (batch.empty()) return;
      commit_began_ = clock_->Monotonic();
    }
    const absl::Status committed = Commit(batch);
    NoteOutcome(committed);
    if (committed.ok()) {
      for (Write& write : batch) {
        if (write.done) std::move(write.done)();
      }
      batch.clear();
      continue;
    }
    MutexLock lock(&mu_);
    if (stopping_) return;
    changed_.WaitFor(&mu_, kRetryPause);
  }
}

}  // namespace davit::store
