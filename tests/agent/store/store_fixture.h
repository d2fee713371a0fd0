#ifndef DAVIT_TESTS_AGENT_STORE_STORE_FIXTURE_H_
#define DAVIT_TESTS_AGENT_STORE_STORE_FIXTURE_H_

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "agent/store/sqlite_store.h"

namespace davit::test {

inline v1::TaskRecord MakeRecord(const std::string& id, const std::string& reason = "") {
  v1::TaskRecord record;
  record.mutable_assignment()->set_task_arn("arn:aws:ecs:r:a:task/c/" + id);
  record.set_stopped_reason(reason);
  return record;
}

inline std::unique_ptr<store::SqliteStore> OpenSqlite(const std::string& path) {
  auto opened = store::SqliteStore::Open(path);
  INFO(opened.status());
  REQUIRE(opened.ok());
  return *std::move(opened);
}

// Saves and waits until it is durable.
inline void SaveNow(store::Store* store, const std::string& id, const std::string& reason = "") {
  absl::Notification durable;
  store->SaveTask(id, MakeRecord(id, reason), [&] { durable.Notify(); });
  durable.WaitForNotification();
}

// "<id>" or "<id>:<stopped reason>" of each task, in the order given by Load().
inline std::vector<std::string> Tasks(store::Store* store) {
  const auto state = store->Load();
  REQUIRE(state.ok());
  std::vector<std::string> tasks;
  for (const v1::TaskRecord& record : state->tasks) {
    const std::string& arn = record.assignment().task_arn();
    std::string text = arn.substr(arn.rfind('/') + 1);
    if (!record.stopped_reason().empty()) text += ":" + record.stopped_reason();
    tasks.push_back(text);
  }
  return tasks;
}

}  // namespace davit::test

#endif  // DAVIT_TESTS_AGENT_STORE_STORE_FIXTURE_H_
