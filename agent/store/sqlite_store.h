#ifndef DAVIT_AGENT_STORE_SQLITE_STORE_H_
#define DAVIT_AGENT_STORE_SQLITE_STORE_H_

#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "agent/store/store.h"
#include "base/mutex.h"

namespace SQLite {
class Database;
}

namespace davit::store {

// The store on one SQLite file (WAL, synchronous=FULL). One thread writes; all that was saved while it wrote goes into
// its next transaction.
class SqliteStore final : public Store {
 public:
  static constexpr int kSchemaVersion = 1;

  // Opens or makes `path`. FailedPrecondition: the folder cannot be written, or the file has a newer schema (both
  // versions are named). DataLoss: the file is not a database, or is damaged; it is left as it is.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path);
  // Writes what is queued, if that works at once.
  ~SqliteStore() override;

  absl::StatusOr<StoredState> Load() override;
  void SaveTask(const std::string& task_id, v1::TaskRecord record, Work done) override;
  void RemoveTask(const std::string& task_id) override;
  void SaveRegistration(v1::RegistrationRecord record) override;
  absl::Status Health() const override;

 private:
  struct Write {
    std::string key;    // "task/<id>" or "registration"
    std::string value;  // empty: delete
    Work done;
  };
  explicit SqliteStore(std::unique_ptr<SQLite::Database> database);
  void Add(Write write);
  void Run();
  absl::Status Commit(const std::deque<Write>& writes);

  const std::unique_ptr<SQLite::Database> database_;  // after Load() used by thread_ only
  mutable Mutex mu_;
  CondVar changed_;
  std::deque<Write> queue_ ABSL_GUARDED_BY(mu_);
  absl::Status health_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace davit::store

#endif  // DAVIT_AGENT_STORE_SQLITE_STORE_H_
