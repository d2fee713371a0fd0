#include "agent/store/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "base/file.h"
#include "tests/agent/store/store_fixture.h"
#include "tests/support/scratch_folder.h"

namespace davit::store {
namespace {

using test::ScratchFolder;

TEST_CASE("only one agent at a time can open the store", "[sqlite_store]") {
  const ScratchFolder folder;
  {
    const auto first = test::OpenSqlite(folder.File("agent.db"));
    const auto second = SqliteStore::Open(folder.File("agent.db"));
    REQUIRE(absl::IsFailedPrecondition(second.status()));
    CHECK_THAT(std::string(second.status().message()), Catch::Contains("another davit-agent"));
    const auto third = SqliteStore::OpenOrSetAside(folder.File("agent.db"), absl::UnixEpoch());
    CHECK(absl::IsFailedPrecondition(third.status()));
  }
  CHECK(SqliteStore::Open(folder.File("agent.db")).ok());
}

TEST_CASE("a path that cannot be opened is refused by name", "[sqlite_store]") {
  const auto store = SqliteStore::Open("/no/such/folder/agent.db");
  REQUIRE(absl::IsFailedPrecondition(store.status()));
  CHECK_THAT(std::string(store.status().message()), Catch::Contains("/no/such/folder/agent.db"));
}

TEST_CASE("records that cannot be decoded are named, and the others are loaded", "[sqlite_store]") {
  const ScratchFolder folder;
  const std::string path = folder.File("agent.db");
  test::SaveNow(test::OpenSqlite(path).get(), "good");
  {
    SQLite::Database database(path, SQLite::OPEN_READWRITE);
    database.exec(
        "INSERT INTO record VALUES ('task/bad', x'ffffffff'), ('registration', x'ff'), ('riddle', "
        "x'00')");
  }
  const auto store = test::OpenSqlite(path);
  const auto state = store->Load();
  REQUIRE(state.ok());
  CHECK(state->undecodable == std::vector<std::string>{"registration", "riddle", "task/bad"});
  CHECK(test::Tasks(store.get()) == std::vector<std::string>{"good"});
  CHECK(state->registration.ByteSizeLong() == 0);
}

TEST_CASE("a store that is destroyed writes what is queued first", "[sqlite_store]") {
  const ScratchFolder folder;
  {
    const auto store = test::OpenSqlite(folder.File("agent.db"));
    for (int i = 0; i < 50; ++i)
      store->SaveTask(std::to_string(i), test::MakeRecord(std::to_string(i)), nullptr);
  }
  CHECK(test::Tasks(test::OpenSqlite(folder.File("agent.db")).get()).size() == 50);
}

// Saves tasks for ever and writes the number of each durable one to `acks`.
[[noreturn]] void SaveForEver(const std::string& path, int first, int acks) {
  auto store = SqliteStore::Open(path);
  if (!store.ok()) _exit(1);
  for (int i = first;; ++i) {
    absl::Notification durable;
    (*store)->SaveTask(std::to_string(i), test::MakeRecord(std::to_string(i)), [i, acks, &durable] {
      if (write(acks, &i, sizeof(i)) != sizeof(i)) _exit(2);
      durable.Notify();
    });
    // More in the same transaction, or in the next one.
    for (int j = 0; j < i % 4; ++j)
      (*store)->SaveTask("same", test::MakeRecord("same", std::string(5000, 'x')), nullptr);
    durable.WaitForNotification();
  }
}

// What a killed process has written stays in the kernel's memory, durable or not. SQLite promises
// with WAL and synchronous=FULL that a power loss keeps it too, because a commit syncs the log
// before it returns. This test shows the rest: `done` never runs before the commit, and a
// half-written log does no harm.
TEST_CASE("durable records survive a kill at any moment", "[sqlite_store]") {
  const ScratchFolder folder;
  std::set<std::string> durable;
  for (int round = 0; round < 10; ++round) {
    int acks[2];
    REQUIRE(pipe(acks) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) SaveForEver(folder.File("agent.db"), 10000 * round, acks[1]);
    close(acks[1]);
    int number = 0;
    for (int got = 0; read(acks[0], &number, sizeof(number)) == sizeof(number); ++got) {
      durable.insert(std::to_string(number));
      if (got == 5 + 7 * round) kill(child, SIGKILL);
    }
    close(acks[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const std::vector<std::string> tasks =
        test::Tasks(test::OpenSqlite(folder.File("agent.db")).get());
    const std::set<std::string> stored(tasks.begin(), tasks.end());
    for (const std::string& id : durable) REQUIRE(stored.count(id) == 1);
  }
}

}  // namespace
}  // namespace davit::store
