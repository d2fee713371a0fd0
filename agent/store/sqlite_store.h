#ifndef DAVIT_AGENT_STORE_SQLITE_STORE_H_
#define DAVIT_AGENT_STORE_SQLITE_STORE_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "agent/store/damaged_database.h"
#include "agent/store/schema.h"
#include "agent/store/store.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace SQLite {
class Database;
}

namespace davit::store {

// The store on one SQLite file (WAL, synchronous=FULL: a commit is on the disk before it is
// answered, so that a `done` outlives a loss of power). One thread writes; all that was saved while
// it wrote goes into its next transaction. The file is locked while it is open.
class SqliteStore final : public Store {
 public:
  // Opens or makes `path`, and brings it to the newest schema. FailedPrecondition: the folder
  // cannot be written, another process has the file open, or it has a newer schema (both versions
  // are named, nothing is touched). DataLoss: the file is no database, or is damaged; it is left as
  // it is. Unavailable: disk full or I/O error.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path,
                                                           SchemaSteps steps = AgentSchema(),
                                                           const Clock* clock = Clock::Real());

  // As Open(), but a damaged file is set aside and replaced by one with the records that can still
  // be read.
  struct Opened;
  static absl::StatusOr<Opened> OpenOrSetAside(const std::string& path, absl::Time now);

  // Writes what is queued, if that works at once.
  ~SqliteStore() override;

  absl::StatusOr<StoredState> Load() override;
  void SaveTask(const std::string& task_id, v1::TaskRecord record, Work done) override;
  void RemoveTask(const std::string& task_id) override;
  void SaveRegistration(v1::RegistrationRecord record) override;
  absl::Status Health() const override;

 private:
  struct Write {
    std::string key;                   // "task/<id>" or "registration"
    std::optional<std::string> value;  // nullopt: delete
    Work done;
  };
  SqliteStore(std::unique_ptr<SQLite::Database> database, const Clock* clock);
  void Add(Write write);
  void Run();
  absl::Status Commit(const std::deque<Write>& writes);
  void NoteOutcome(const absl::Status& committed);

  const std::unique_ptr<SQLite::Database> database_;  // after Load() used by thread_ only
  const Clock* const clock_;
  mutable Mutex mu_;
  CondVar changed_;
  std::deque<Write> queue_ ABSL_GUARDED_BY(mu_);
  absl::Status health_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Duration> commit_began_ ABSL_GUARDED_BY(mu_);  // monotonic; nullopt: none now
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

struct SqliteStore::Opened {
  std::unique_ptr<SqliteStore> store;
  std::optional<Damage> damage;  // nullopt: nothing was wrong
};

}  // namespace davit::store

#endif  // DAVIT_AGENT_STORE_SQLITE_STORE_H_
