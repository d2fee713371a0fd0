#ifndef DAVIT_CONTROLLER_STORE_SQLITE_STORE_H_
#define DAVIT_CONTROLLER_STORE_SQLITE_STORE_H_

#include <memory>
#include <string>

#include "base/executor.h"
#include "base/mutex.h"
#include "controller/store/store.h"

namespace davit::controller::store {

// Rows in one SQLite file, written ahead (WAL) and synchronously: what was committed survives a
// power cut. Commits run on a thread of the store's own. One process at a time: the file is locked
// for as long as it is open. The destructor waits for the commits that were begun.
class SqliteStore final : public Store {
 public:
  // Opens or makes FOLDER/controller.db; makes the folder. PermissionDenied, NotFound, ...: the
  // folder cannot be used. FailedPrecondition: written by a newer version, or open in another
  // process. DataLoss: not a database, or damaged.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& folder);
  ~SqliteStore() override;

  absl::StatusOr<rows::Rows> LoadAll() override;
  void Commit(std::vector<CommandRows> commands, Fence fence, Done done) override;
  Limits limits() const override { return {}; }
  void Watch(Watcher watcher) override { watcher_ = std::move(watcher); }

 private:
  struct Connection;
  SqliteStore(std::string path, std::unique_ptr<Connection> connection);
  absl::Status Write(const std::vector<CommandRows>& commands, const Fence& fence)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string path_;
  Watcher watcher_;  // constant after the first commit
  Mutex mu_;
  const std::unique_ptr<Connection> connection_ ABSL_GUARDED_BY(mu_);
  bool has_failed_ ABSL_GUARDED_BY(mu_) = false;  // and LoadAll() was not called since
  ThreadPool thread_{"controller-store", 1};
};

}  // namespace davit::controller::store

#endif  // DAVIT_CONTROLLER_STORE_SQLITE_STORE_H_
