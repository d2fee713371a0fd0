#include "controller/store/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "base/file.h"

namespace davit::controller::store {
namespace {

struct Folder {
  Folder() { path = mkdtemp(pattern); }
  ~Folder() { (void)RemoveAll(path); }
  std::string database() const { return path + "/controller.db"; }
  char pattern[32] = "/tmp/davit-sqlite-XXXXXX";
  std::string path;
};

TEST_CASE("a database of a newer version is refused with both versions named", "[store]") {
  const Folder folder;
  {
    SQLite::Database database(folder.database(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("PRAGMA user_version=99");
  }
  const auto store = SqliteStore::Open(folder.path);
  REQUIRE(absl::IsFailedPrecondition(store.status()));
  CHECK_THAT(std::string(store.status().message()), Catch::Contains("schema version 99"));
}

TEST_CASE("a file that is no database is DataLoss, with the file's name", "[store]") {
  const Folder folder;
  REQUIRE(WriteFileAtomically(folder.database(), std::string(8192, 'x')).ok());
  const auto store = SqliteStore::Open(folder.path);
  REQUIRE(absl::IsDataLoss(store.status()));
  CHECK_THAT(std::string(store.status().message()), Catch::Contains(folder.database()));
}

TEST_CASE("a database that another process has open is refused", "[store]") {
  const Folder folder;
  const auto first = SqliteStore::Open(folder.path);
  REQUIRE(first.ok());
  const auto second = SqliteStore::Open(folder.path);
  REQUIRE(absl::IsFailedPrecondition(second.status()));
  CHECK_THAT(std::string(second.status().message()), Catch::Contains("another davit-controller"));
}

TEST_CASE("a state folder that cannot be made names itself", "[store]") {
  const auto store = SqliteStore::Open("/proc/davit-controller");
  REQUIRE_FALSE(store.ok());
  CHECK_THAT(std::string(store.status().message()), Catch::Contains("/proc/davit-controller"));
}

}  // namespace
}  // namespace davit::controller::store
