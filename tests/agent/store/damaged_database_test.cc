#include "agent/store/damaged_database.h"

#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/file.h"
#include "tests/agent/store/store_fixture.h"
#include "tests/support/scratch_folder.h"

namespace davit::store {
namespace {

using test::ScratchFolder;

const std::string kReason(400, 'r');
constexpr int kRecords = 300;
constexpr size_t kPage = 4096;

// A folder with an agent's database of kRecords tasks of about 400 bytes each.
class DamagedDatabase {
 public:
  DamagedDatabase() {
    const auto store = test::OpenSqlite(path());
    for (int i = 0; i < kRecords; ++i) {
      const std::string id = std::to_string(1000 + i);
      store->SaveTask(id, test::MakeRecord(id, kReason), nullptr);
    }
  }
  std::string path() const { return folder_.File("agent.db"); }
  std::string Bytes() const { return *ReadFile(path()); }
  void Replace(const std::string& bytes) const { REQUIRE(WriteFileAtomically(path(), bytes).ok()); }

  // Opens it on 2026-01-02 03:04:05 UTC.
  SqliteStore::Opened Open() const {
    auto opened = SqliteStore::OpenOrSetAside(path(), absl::FromUnixSeconds(1767323045));
    INFO(opened.status());
    REQUIRE(opened.ok());
    return *std::move(opened);
  }
  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.insert(entry.path().filename());
    return names;
  }

 private:
  const ScratchFolder folder_;
};

constexpr char kAside[] = "agent.db.damaged-20260102T030405Z";

// Every task that exists is as it was saved.
void CheckWhole(Store* store) {
  for (const std::string& task : test::Tasks(store)) REQUIRE_THAT(task, Catch::EndsWith(kReason));
}

TEST_CASE("a sound database is opened as it is", "[damaged_database]") {
  const DamagedDatabase database;
  const SqliteStore::Opened opened = database.Open();
  CHECK_FALSE(opened.damage.has_value());
  CHECK(test::Tasks(opened.store.get()).size() == kRecords);
}

TEST_CASE("garbage is set aside, and the agent starts empty", "[damaged_database]") {
  const DamagedDatabase database;
  const std::string garbage(GENERATE(600U, 8192U, 100000U), GENERATE('x', '\0'));
  database.Replace(garbage);
  const SqliteStore::Opened opened = database.Open();
  REQUIRE(opened.damage.has_value());
  CHECK(opened.damage->set_aside ==
        database.path().substr(0, database.path().rfind('/') + 1) + kAside);
  CHECK(opened.damage->records_kept == 0);
  CHECK_FALSE(opened.damage->what.empty());
  CHECK(*ReadFile(opened.damage->set_aside) == garbage);
  CHECK(test::Tasks(opened.store.get()).empty());
  test::SaveNow(opened.store.get(), "new");
  CHECK(test::Tasks(opened.store.get()) == std::vector<std::string>{"new"});
}

TEST_CASE("the readable records of a truncated file are kept", "[damaged_database]") {
  const DamagedDatabase database;
  const std::string bytes = database.Bytes();
  database.Replace(bytes.substr(0, bytes.size() / kPage / 2 * kPage));
  const SqliteStore::Opened opened = database.Open();
  REQUIRE(opened.damage.has_value());
  CHECK(opened.damage->records_kept > kRecords / 10);
  CHECK(opened.damage->records_kept < kRecords);
  CHECK(test::Tasks(opened.store.get()).size() == opened.damage->records_kept);
  CheckWhole(opened.store.get());
}

TEST_CASE("a bad page loses only its own records", "[damaged_database]") {
  const DamagedDatabase database;
  std::string bytes = database.Bytes();
  const size_t page = GENERATE(5U, 10U, 20U);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page * kPage), kPage, '\xa5');
  database.Replace(bytes);
  const SqliteStore::Opened opened = database.Open();
  REQUIRE(opened.damage.has_value());
  CHECK(opened.damage->records_kept >= kRecords - 20);
  CHECK(opened.damage->records_kept < kRecords);
  CheckWhole(opened.store.get());
}

TEST_CASE("records that are only in the WAL are kept too", "[damaged_database]") {
  const ScratchFolder folder;
  const std::string path = folder.File("copy/agent.db");
  REQUIRE(MakeDirectories(folder.File("copy")).ok());
  {
    const auto store = test::OpenSqlite(folder.File("agent.db"));
    test::SaveNow(store.get(), "in-the-log");
    REQUIRE(WriteFileAtomically(path, *ReadFile(folder.File("agent.db"))).ok());
    REQUIRE(WriteFileAtomically(path + "-wal", *ReadFile(folder.File("agent.db-wal"))).ok());
  }
  const auto damage = ReplaceDamaged(path, absl::UnixEpoch());
  REQUIRE(damage.ok());
  CHECK(damage->records_kept == 1);
  CHECK(FileExists(damage->set_aside + "-wal"));
  CHECK_FALSE(FileExists(path + "-wal"));
  CHECK(test::Tasks(test::OpenSqlite(path).get()) == std::vector<std::string>{"in-the-log"});
}

TEST_CASE("a database without its table is damaged", "[damaged_database]") {
  const ScratchFolder folder;
  REQUIRE(SqliteStore::Open(folder.File("agent.db"), {"CREATE TABLE other (x)"}).status().code() ==
          absl::StatusCode::kDataLoss);
  auto opened = SqliteStore::OpenOrSetAside(folder.File("agent.db"), absl::UnixEpoch());
  REQUIRE(opened.ok());
  CHECK(opened->damage.has_value());
}

TEST_CASE("a second damage in the same second gets its own name", "[damaged_database]") {
  const DamagedDatabase database;
  database.Replace("first");
  database.Open();
  database.Replace("second");
  const SqliteStore::Opened opened = database.Open();
  CHECK_THAT(opened.damage->set_aside, Catch::EndsWith("20260102T030405Z-2"));
  CHECK(*ReadFile(opened.damage->set_aside) == "second");
}

TEST_CASE("only the damaged file and the new one remain", "[damaged_database]") {
  const DamagedDatabase database;
  std::string bytes = database.Bytes();
  std::fill_n(bytes.begin() + 5 * kPage, kPage, '\xa5');
  database.Replace(bytes);
  database.Open();
  CHECK(database.Files() == std::set<std::string>{"agent.db", kAside});
}

TEST_CASE("a salvage that was interrupted early is repeated", "[damaged_database]") {
  const DamagedDatabase database;
  REQUIRE(WriteFileAtomically(database.path() + ".salvaging", "half").ok());
  std::string bytes = database.Bytes();
  std::fill_n(bytes.begin() + 5 * kPage, kPage, '\xa5');
  database.Replace(bytes);
  CHECK(database.Open().damage->records_kept >= kRecords - 20);
}

TEST_CASE("a salvage that was interrupted late is completed", "[damaged_database]") {
  const DamagedDatabase database;
  REQUIRE(rename(database.path().c_str(), (database.path() + ".salvaged").c_str()) == 0);
  const bool has_lost_its_name = GENERATE(false, true);
  if (!has_lost_its_name) {
    database.Replace("damaged");
    REQUIRE(WriteFileAtomically(database.path() + "-wal", "its log").ok());
  }
  const SqliteStore::Opened opened = database.Open();
  CHECK_FALSE(opened.damage.has_value());  // it was reported before
  CHECK(test::Tasks(opened.store.get()).size() == kRecords);
}

}  // namespace
}  // namespace davit::store
