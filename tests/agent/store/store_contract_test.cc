// The contract of every Store: one suite that runs on each implementation.
#include <catch2/catch.hpp>

#include "agent/store/memory_store.h"
#include "tests/agent/store/store_fixture.h"
#include "tests/support/scratch_folder.h"

namespace davit::store {
namespace {

using test::MakeRecord;
using test::SaveNow;
using test::Tasks;
using Names = std::vector<std::string>;

struct MemoryFixture {
  Store* Open() { return &store; }
  Store* Reopen() { return &store; }
  MemoryStore store;
};

struct SqliteFixture {
  Store* Open() { return (store = test::OpenSqlite(folder.File("agent.db"))).get(); }
  Store* Reopen() {
    store = nullptr;
    return Open();
  }
  test::ScratchFolder folder;
  std::unique_ptr<SqliteStore> store;
};

TEMPLATE_TEST_CASE("a new store is empty and healthy", "[store]", MemoryFixture, SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  CHECK(Tasks(store).empty());
  CHECK(store->Load()->registration.container_instance_arn().empty());
  CHECK(store->Load()->undecodable.empty());
  CHECK(store->Health().ok());
}

TEMPLATE_TEST_CASE("saved records are loaded when the store is opened again", "[store]",
                   MemoryFixture, SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  SaveNow(store, "b");
  SaveNow(store, "a", "reason");
  CHECK(Tasks(fixture.Reopen()) == Names{"a:reason", "b"});
}

TEMPLATE_TEST_CASE("a record that is saved again is replaced", "[store]", MemoryFixture,
                   SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  SaveNow(store, "a", "old");
  SaveNow(store, "a", "new");
  CHECK(Tasks(fixture.Reopen()) == Names{"a:new"});
}

TEMPLATE_TEST_CASE("saves become durable in order, and each calls `done` once", "[store]",
                   MemoryFixture, SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  Names done;
  for (int i = 0; i < 100; ++i) {
    store->SaveTask("a", MakeRecord("a", std::to_string(i)),
                    [&, i] { done.push_back(std::to_string(i)); });
  }
  SaveNow(store, "last");
  REQUIRE(done.size() == 100);
  for (size_t i = 0; i < done.size(); ++i) REQUIRE(done[i] == std::to_string(i));
  CHECK(Tasks(fixture.Reopen()) == Names{"a:99", "last"});
}

TEMPLATE_TEST_CASE("a removal keeps its order among the saves", "[store]", MemoryFixture,
                   SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  store->SaveTask("gone", MakeRecord("gone"), nullptr);
  store->RemoveTask("gone");
  store->RemoveTask("back");
  store->SaveTask("back", MakeRecord("back"), nullptr);
  store->RemoveTask("never");
  SaveNow(store, "last");
  CHECK(Tasks(fixture.Reopen()) == Names{"back", "last"});
}

TEMPLATE_TEST_CASE("an empty record is a record", "[store]", MemoryFixture, SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  store->SaveTask("empty", v1::TaskRecord(), nullptr);
  SaveNow(store, "last");
  CHECK(fixture.Reopen()->Load()->tasks.size() == 2);
}

TEMPLATE_TEST_CASE("the registration is kept, and the latest one counts", "[store]", MemoryFixture,
                   SqliteFixture) {
  TestType fixture;
  Store* store = fixture.Open();
  v1::RegistrationRecord registration;
  registration.set_container_instance_arn("arn:aws:ecs:r:a:container-instance/c/1");
  registration.set_controller_epoch(3);
  store->SaveRegistration(registration);
  registration.set_controller_epoch(4);
  store->SaveRegistration(registration);
  SaveNow(store, "last");
  const auto state = fixture.Reopen()->Load();
  CHECK(state->registration.container_instance_arn() == "arn:aws:ecs:r:a:container-instance/c/1");
  CHECK(state->registration.controller_epoch() == 4);
  CHECK(state->tasks.size() == 1);
}

TEST_CASE("held writes of the memory store are not durable, and a power loss drops them",
          "[store]") {
  MemoryStore store;
  bool durable = false;
  store.Hold(true);
  store.SaveTask("lost", MakeRecord("lost"), [&] { durable = true; });
  CHECK(absl::IsUnavailable(store.Health()));
  CHECK(Tasks(&store).empty());
  store.LosePower();
  store.SaveTask("kept", MakeRecord("kept"), nullptr);
  store.Hold(false);
  CHECK_FALSE(durable);
  CHECK(Tasks(&store) == Names{"kept"});
  CHECK(store.Health().ok());
}

}  // namespace
}  // namespace davit::store
