// What every Store does: one suite, run on each implementation.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>

#include "base/file.h"
#include "controller/store/memory_store.h"
#include "controller/store/sqlite_store.h"

namespace davit::cluster_store {
namespace {

using cluster::Mutation;

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

TEMPLATE_TEST_CASE("a new store is empty", "[store]", MemoryFixture, SqliteFixture) {
  TestType fixture;
  CHECK(fixture.Open()->LoadAll()->empty());
}

TEMPLATE_TEST_CASE("what was committed is there after the store was opened again", "[store]",
                   MemoryFixture, SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  const std::string bytes("\0\xff\n'x", 5);
  REQUIRE(store->Commit({Mutation{"b", bytes}, Mutation{"a", ""}}).ok());
  CHECK(*fixture.Reopen()->LoadAll() == Rows{{"a", ""}, {"b", bytes}});
}

TEMPLATE_TEST_CASE("mutations of one commit work in the order given", "[store]", MemoryFixture,
                   SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  REQUIRE(store
              ->Commit({Mutation{"a", "1"}, Mutation{"a", "2"}, Mutation{"b", "1"},
                        Mutation{"b", std::nullopt}})
              .ok());
  CHECK(*store->LoadAll() == Rows{{"a", "2"}});
}

TEMPLATE_TEST_CASE("deleting what is not there is success", "[store]", MemoryFixture,
                   SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  CHECK(store->Commit({Mutation{"never", std::nullopt}}).ok());
  CHECK(store->Commit({}).ok());
  CHECK(store->LoadAll()->empty());
}

}  // namespace
}  // namespace davit::cluster_store
