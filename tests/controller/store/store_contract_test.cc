// What every Store does: one suite, run on each implementation.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <future>
#include <memory>

#include "base/file.h"
#include "controller/store/memory_store.h"
#include "controller/store/sqlite_store.h"

namespace davit::controller::store {
namespace {

using rows::Mutation;
using rows::Ref;
using rows::Rows;

struct MemoryFixture {
  MemoryStore store;
  Store* Open() { return &store; }
  Store* Reopen() { return &store; }
};

struct SqliteFixture {
  SqliteFixture() { folder = mkdtemp(pattern); }
  ~SqliteFixture() {
    store.reset();
    (void)RemoveAll(folder);
  }
  Store* Open() {
    auto opened = SqliteStore::Open(folder);
    REQUIRE(opened.ok());
    store = *std::move(opened);
    return store.get();
  }
  Store* Reopen() {
    store.reset();
    return Open();
  }
  char pattern[32] = "/tmp/davit-store-XXXXXX";
  std::string folder;
  std::unique_ptr<SqliteStore> store;
};

Mutation Put(const std::string& name, const std::string& setting = "") {
  v1::StoredCluster cluster;
  cluster.set_name(name);
  if (!setting.empty()) cluster.add_settings()->set_value(setting);
  return {"cluster/" + name, std::make_shared<const v1::StoredCluster>(cluster)};
}

Mutation Erase(const std::string& name) { return {"cluster/" + name, Ref<v1::StoredCluster>()}; }

std::string ValueOf(const Mutation& mutation) { return *rows::Encode(mutation); }

// No row is the fence: nobody else writes.
const Fence kNoFence{"meta", std::nullopt};

absl::Status Commit(Store* store, std::vector<CommandRows> commands, Fence fence = kNoFence) {
  std::promise<absl::Status> promise;
  store->Commit(std::move(commands), std::move(fence),
                [&promise](absl::Status status) { promise.set_value(std::move(status)); });
  return promise.get_future().get();
}

TEMPLATE_TEST_CASE("a new store is empty", "[store]", MemoryFixture, SqliteFixture) {
  TestType fixture;
  CHECK(fixture.Open()->LoadAll()->empty());
}

TEMPLATE_TEST_CASE("what was committed is there after the store was opened again", "[store]",
                   MemoryFixture, SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  const Mutation bytes = Put("b", std::string("\0\x7f\n'x", 5));
  REQUIRE(Commit(store, {{bytes}, {Put("a")}}).ok());
  CHECK(*fixture.Reopen()->LoadAll() ==
        Rows{{"cluster/a", ValueOf(Put("a"))}, {"cluster/b", ValueOf(bytes)}});
}

TEMPLATE_TEST_CASE("of several mutations of one key the last one counts", "[store]", MemoryFixture,
                   SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  REQUIRE(Commit(store, {{Put("a", "1"), Put("b")}, {Put("a", "2")}, {Erase("b")}}).ok());
  CHECK(*store->LoadAll() == Rows{{"cluster/a", ValueOf(Put("a", "2"))}});
}

TEMPLATE_TEST_CASE("deleting what is not there is success", "[store]", MemoryFixture,
                   SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  CHECK(Commit(store, {{Erase("never")}}).ok());
  CHECK(Commit(store, {}).ok());
  CHECK(store->LoadAll()->empty());
}

TEMPLATE_TEST_CASE("commits take effect in the order of the calls", "[store]", MemoryFixture,
                   SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  std::vector<int> done;
  std::promise<void> all;
  for (int i = 0; i < 20; ++i) {
    store->Commit({{Put("a", std::to_string(i))}}, kNoFence, [&, i](const absl::Status& status) {
      if (status.ok()) done.push_back(i);
      if (i == 19) all.set_value();
    });
  }
  all.get_future().wait();
  CHECK(done.size() == 20);
  CHECK(std::is_sorted(done.begin(), done.end()));
  CHECK(*store->LoadAll() == Rows{{"cluster/a", ValueOf(Put("a", "19"))}});
}

TEMPLATE_TEST_CASE("a fence that does not hold refuses the commit, and all after it until a load",
                   "[store]", MemoryFixture, SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  REQUIRE(Commit(store, {{Put("leader", "me")}}).ok());
  const Fence mine{"cluster/leader", ValueOf(Put("leader", "me"))};
  REQUIRE(Commit(store, {{Put("a")}, {Put("leader", "other")}}, mine).ok());
  CHECK(absl::IsFailedPrecondition(Commit(store, {{Put("b")}}, mine)));
  CHECK(absl::IsUnavailable(Commit(store, {{Put("c")}})));
  CHECK(store->LoadAll()->size() == 2);
  CHECK(Commit(store, {{Put("d")}}).ok());
  CHECK(store->LoadAll()->size() == 3);
}

TEMPLATE_TEST_CASE("a watcher hears of every durable commit, before its end is told", "[store]",
                   MemoryFixture, SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  std::vector<std::string> seen;
  store->Watch([&seen](const std::vector<CommandRows>& commands) {
    for (const CommandRows& command : commands) {
      seen.emplace_back("command");
      for (const Mutation& mutation : command) seen.push_back(mutation.key);
    }
  });
  std::promise<void> done;
  store->Commit({{Put("a"), Erase("b")}, {Put("c")}}, kNoFence, [&](const absl::Status&) {
    seen.emplace_back("done");
    done.set_value();
  });
  done.get_future().wait();
  CHECK(seen == std::vector<std::string>{"command", "cluster/a", "cluster/b", "command",
                                         "cluster/c", "done"});
  CHECK_FALSE(Commit(store, {{Put("d")}}, {"cluster/a", "another"}).ok());
  CHECK(seen.size() == 6);
}

}  // namespace
}  // namespace davit::controller::store
