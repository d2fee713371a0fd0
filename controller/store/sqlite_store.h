#ifndef DAVIT_CONTROLLER_STORE_SQLITE_STORE_H_
#define DAVIT_CONTROLLER_STORE_SQLITE_STORE_H_

#include <memory>
#include <string>

#include "controller/store/store.h"

namespace davit::cluster_store {

// Rows in one SQLite file, written ahead (WAL) and synchronously: what Commit() returned OK for
// survives a power cut. Not thread-safe. One process at a time: the file is locked for as long as
// it is open.
class SqliteStore final : public Store {
 public:
  // Opens or makes FOLDER/controller.db; makes the folder. PermissionDenied, NotFound, ...: the
  // folder cannot be used. FailedPrecondition: written by a newer version, or open in another
  // process. DataLoss: not a database, or damaged.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& folder);
  ~SqliteStore() override;

  absl::StatusOr<Rows> LoadAll() override;
  absl::Status Commit(absl::Span<const cluster::Mutation> mutations) override;

 private:
  struct Connection;
  SqliteStore(std::string path, std::unique_ptr<Connection> connection);

  const std::string path_;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace davit::cluster_store

#endif  // DAVIT_CONTROLLER_STORE_SQLITE_STORE_H_
