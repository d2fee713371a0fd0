#include "agent/store/schema.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "base/file.h"
#include "tests/agent/store/store_fixture.h"
#include "tests/support/scratch_folder.h"

namespace davit::store {
namespace {

using test::ScratchFolder;

int VersionOf(const std::string& path) {
  SQLite::Database database(path, SQLite::OPEN_READWRITE);
  return database.execAndGet("PRAGMA user_version").getInt();
}

// A database of today's version with one record.
void MakeDatabase(const std::string& path) { test::SaveNow(test::OpenSqlite(path).get(), "a"); }

const std::vector<const char*> kLongerBySteps = {AgentSchema()[0], "CREATE TABLE extra (x INTEGER)",
                                                 "INSERT INTO extra SELECT count(*) FROM record"};

TEST_CASE("a new database has the newest version", "[schema]") {
  const ScratchFolder folder;
  MakeDatabase(folder.File("agent.db"));
  CHECK(VersionOf(folder.File("agent.db")) == static_cast<int>(AgentSchema().size()));
}

TEST_CASE("an older database is migrated and keeps its records", "[schema]") {
  const ScratchFolder folder;
  MakeDatabase(folder.File("agent.db"));
  {
    const auto store = SqliteStore::Open(folder.File("agent.db"), kLongerBySteps);
    REQUIRE(store.ok());
    CHECK(test::Tasks(store->get()) == std::vector<std::string>{"a"});
  }
  CHECK(VersionOf(folder.File("agent.db")) == 3);
  SQLite::Database database(folder.File("agent.db"), SQLite::OPEN_READWRITE);
  CHECK(database.execAndGet("SELECT x FROM extra").getInt() == 1);
}

TEST_CASE("each step runs once", "[schema]") {
  const ScratchFolder folder;
  MakeDatabase(folder.File("agent.db"));
  REQUIRE(SqliteStore::Open(folder.File("agent.db"), kLongerBySteps).ok());
  REQUIRE(SqliteStore::Open(folder.File("agent.db"), kLongerBySteps).ok());
  SQLite::Database database(folder.File("agent.db"), SQLite::OPEN_READWRITE);
  CHECK(database.execAndGet("SELECT count(*) FROM extra").getInt() == 1);
}

TEST_CASE("a failed step leaves the database at the version before it", "[schema]") {
  const ScratchFolder folder;
  MakeDatabase(folder.File("agent.db"));
  std::vector<const char*> steps = kLongerBySteps;
  steps[2] = "CREATE TABLE half (x INTEGER); SELECT no_such_function()";
  const auto store = SqliteStore::Open(folder.File("agent.db"), steps);
  REQUIRE(absl::IsFailedPrecondition(store.status()));
  CHECK_THAT(std::string(store.status().message()), Catch::Contains(folder.File("agent.db")));
  CHECK(VersionOf(folder.File("agent.db")) == 2);
  SQLite::Database database(folder.File("agent.db"), SQLite::OPEN_READWRITE);
  CHECK(database.tableExists("extra"));
  CHECK_FALSE(database.tableExists("half"));
}

TEST_CASE("a newer database is refused with both versions and not changed", "[schema]") {
  const ScratchFolder folder;
  REQUIRE(MakeDirectories(folder.File("copy")).ok());
  const std::string path = folder.File("copy/agent.db");
  {
    SQLite::Database newer(folder.File("agent.db"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    newer.exec("PRAGMA journal_mode=WAL");
    newer.exec("CREATE TABLE unheard_of (x INTEGER)");
    newer.exec("PRAGMA user_version=7");
    // Like a database of a newer agent that was killed: the version is only in the WAL.
    REQUIRE(WriteFileAtomically(path, *ReadFile(folder.File("agent.db"))).ok());
    REQUIRE(WriteFileAtomically(path + "-wal", *ReadFile(folder.File("agent.db-wal"))).ok());
  }
  const std::string file = *ReadFile(path);
  const std::string log = *ReadFile(path + "-wal");
  const auto opened = SqliteStore::OpenOrSetAside(path, absl::UnixEpoch());
  REQUIRE(absl::IsFailedPrecondition(opened.status()));
  CHECK_THAT(std::string(opened.status().message()),
             Catch::Contains(path) && Catch::Contains("schema version 7") &&
                 Catch::Contains("up to " + std::to_string(AgentSchema().size())));
  CHECK(*ReadFile(path) == file);
  CHECK(*ReadFile(path + "-wal") == log);
}

}  // namespace
}  // namespace davit::store
